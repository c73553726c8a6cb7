"""Every lock there is, with the test that races for it and the one without it; every verb, and whom it meets."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.races import of_credit, of_reports, of_voice

ROOT = Path(__file__).resolve().parents[2]
LOCK = re.compile(
    r"select_for_update|FOR SHARE|FOR (?:NO KEY )?UPDATE|pg_(?:try_)?advisory|ON CONFLICT|(?:ignore|update)_conflicts"
    # Functions of the database that lock.
    r"|credit_(?:post|post_many|close)\(%s"
)
# The apps, and what is put before the names of theirs.
APPS = {"members": "", "credit": "credit.", "telephony": "telephony.", "reports": "reports."}

# The function that locks, or lets a constraint decide; the test that has two of them meet, and the control, which
# shows what would happen without it, or a sentence about why nothing can.
RACED = {
    "acts.lock_member": (
        "test_somebody_demoted_while_they_leave_has_left",
        "test_control_without_the_lock_somebody_who_has_left_is_given_a_role",
    ),
    "acts.lock_members": (
        "test_leaving_while_being_blocked_leaves_either_way",
        "test_control_without_the_lock_no_administrator_is_left",
    ),
    "acts.shut": (
        "test_whoever_is_blocked_while_they_work_is_refused_from_the_next_request_on",
        "Only the order of locks: a block and whatever ends the sessions of an account lock the account first.",
    ),
    "acts.merge": (
        "test_a_merger_of_several_and_an_import_into_them_never_wait_for_each_other",
        "test_control_without_one_order_of_locks_a_merger_and_an_import_wait_for_each_other",
    ),
    "acts.move_invitations": (
        "test_invitations_are_locked_in_one_order_when_their_department_is_deleted",
        "Only the order of locks: whoever sends several again locks them by their keys too.",
    ),
    "services.run_work._finish": (
        "test_a_run_stopped_while_it_finishes_has_ended_or_was_stopped_whole",
        "test_control_without_the_lock_a_department_goes_although_its_run_was_stopped",
    ),
    "batch_kinds._resend": (
        "test_an_invitation_accepted_while_a_run_sends_it_again_is_sent_or_accepted",
        "test_control_without_the_locks_an_accepted_invitation_is_changed",
    ),
    "confirmation.confirm_address": (
        "test_an_address_confirmed_twice_at_once_releases_the_letters_once",
        "test_control_without_the_lock_the_letters_are_released_twice",
    ),
    "confirmation.hold_unreleased": (
        "test_a_password_is_reset_while_the_founders_role_is_changed",
        "test_control_with_the_account_locked_first_the_two_wait_for_each_other",
    ),
    "factors.lock_account": (
        "test_recovery_codes_renewed_twice_at_once_are_ten",
        "test_control_without_the_lock_recovery_codes_are_twenty",
    ),
    "locks.lock_organization": (
        "test_two_departments_put_into_each_other_at_once_make_no_circle",
        "test_control_without_the_lock_two_departments_are_in_each_other",
    ),
    "locks.take_turn": (
        "test_a_slice_in_the_hands_of_one_worker_is_left_alone_by_the_other",
        "test_control_without_the_turn_two_workers_carry_out_one_slice",
    ),
    "restores.hold_after_restore": (
        "test_that_data_were_restored_is_noticed_by_one_sender",
        "test_control_without_its_condition_two_senders_notice_it",
    ),
    "services.api_tokens._lock_maker": (
        "test_a_token_made_while_its_maker_is_blocked_is_none_or_ends",
        "test_control_without_the_lock_a_token_outlives_the_block_of_its_maker",
    ),
    "services.accounts._finish_first_password": (
        "test_a_first_password_chosen_twice_at_once_lets_in_once",
        "test_control_without_the_lock_a_first_password_lets_in_twice",
    ),
    "services.accounts.reset_password": (
        "test_a_reset_link_opened_twice_at_once_sets_one_password",
        "test_control_without_the_lock_a_reset_link_works_twice",
    ),
    "services.consents.decide_call_detail": (
        "test_agreeing_while_leaving_shows_nothing_afterward",
        "test_control_without_the_lock_somebody_who_has_left_agrees",
    ),
    "services.demo.seed_demo": (
        "test_two_demo_companies_wanted_at_once_are_one",
        "The addresses of the demo company are fixed: without the lock the second fails in the database.",
    ),
    "acts.dissolve": (
        "test_an_import_into_a_department_that_is_deleted_meanwhile_loses_nobody",
        "test_control_without_the_lock_a_department_is_deleted_under_those_whom_an_import_puts_there",
    ),
    "services.erasure._lock": (
        "test_erased_by_two_at_once_is_erased_once",
        "test_control_without_the_lock_somebody_is_erased_twice",
    ),
    "services.factors.reset_second_factor": (
        "test_a_passkey_added_while_the_factors_are_reset_goes_with_them_or_comes_with_codes",
        "test_control_without_the_lock_a_passkey_is_left_without_codes",
    ),
    "services.import_work.create_chunk": (
        "test_two_imports_of_the_same_people_at_once_make_each_once",
        "test_control_without_the_turn_two_workers_make_the_same_rows",
    ),
    "services.imports._lock_draft": (
        "test_a_row_left_out_while_its_import_starts_is_out_or_too_late",
        "test_control_without_the_lock_a_row_is_left_out_of_an_import_that_has_begun",
    ),
    "services.imports.cancel_batch": (
        "test_an_import_canceled_by_two_at_once_is_canceled_once",
        "test_control_without_the_lock_an_import_is_canceled_twice",
    ),
    "services.imports.read_again": (
        "test_a_file_read_again_while_its_import_starts_is_one_of_both",
        "test_control_without_the_lock_an_import_starts_of_rows_that_are_gone",
    ),
    "services.addresses._lock_review": (
        "test_addresses_that_are_changed_are_not_given_up",
        "test_control_without_the_lock_addresses_that_were_given_up_are_changed",
    ),
    "services.imports.retry_failed_rows": (
        "test_failed_rows_retried_by_two_at_once_are_retried_once",
        "test_control_without_the_lock_the_second_retry_is_not_refused",
    ),
    "services.imports.start_batch": (
        "test_two_clicks_on_create_make_each_account_once",
        "test_control_without_the_lock_an_import_starts_of_rows_that_are_gone",
    ),
    "invitation_acts.lock_invitations": (
        "test_accepted_while_it_is_changed_leaves_one_order_and_no_live_old_link",
        "test_control_without_the_locks_an_accepted_invitation_is_changed",
    ),
    "invitation_acts.lock_people": (
        "test_whoever_changes_an_invitation_waits_for_whoever_accepts_it",
        "test_control_without_the_locks_an_accepted_invitation_is_changed",
    ),
    "services.jobs.claim_run": (
        "test_two_workers_claim_different_runs",
        "test_control_without_the_lock_two_workers_claim_the_same_run",
    ),
    "services.jobs.plan_runs": (
        "test_two_beats_plan_each_run_once",
        "test_control_without_its_conflict_the_second_beat_fails",
    ),
    "services.jobs.show_life": (
        "test_ten_workers_who_show_life_at_once_leave_one_sign",
        "The name is the key of the row: without the conflict's answer all but one fail in the database.",
    ),
    "services.joining._take_in": (
        "test_declined_and_accepted_at_once_is_one_of_both",
        "test_control_without_the_condition_an_invitation_is_declined_and_accepted",
    ),
    "services.joining.accept_business_invitation": (
        "test_fifty_uses_of_one_link_at_the_same_moment_make_one_account",
        "test_without_the_claim_each_of_them_would_have_joined",
    ),
    "services.letters.claim_letters": (
        "test_two_senders_who_claim_at_once_have_different_letters",
        "test_control_without_the_lock_two_senders_have_the_same_letters",
    ),
    "services.operators.appoint_operator": (
        "test_whoever_is_dismissed_while_they_are_appointed_is_dismissed",
        "test_control_without_the_lock_whoever_is_dismissed_stays_an_operator",
    ),
    "services.operators.dismiss_operator": (
        "test_an_operator_dismissed_twice_at_once_is_dismissed_once",
        "test_control_without_the_lock_an_operator_is_dismissed_twice",
    ),
    "services.organization_settings._sort_some": (
        "test_another_language_and_another_name_at_once_are_sorted_as_the_language_sorts",
        "The organization is locked by both before: this one keeps a person's own change of name waiting.",
    ),
    "services.organizations._set_up": (
        "test_of_two_first_set_ups_at_once_the_second_waits_and_is_refused",
        "test_control_without_the_lock_both_first_set_ups_go_through",
    ),
    "services.leavers._lock": (
        "test_two_who_deal_with_one_leaving_at_once_free_its_number_once",
        "Whoever deals with a leaving holds the organization; the rows are kept from those who block and hand over.",
    ),
    "services.profile._lock_memberships": (
        "test_an_invitation_accepted_while_its_person_moves_is_theirs_at_one_address",
        "Only the order of locks: memberships come before the account, as they do for whoever manages members.",
    ),
    "services.profile._replace_address": (
        "test_an_invitation_accepted_while_its_person_moves_is_theirs_at_one_address",
        "test_control_without_the_condition_a_link_that_died_meanwhile_still_opens",
    ),
    "services.profile.leave_organization": (
        "test_of_two_last_administrators_one_stays",
        "test_control_without_the_lock_no_administrator_is_left",
    ),
    "services.purge._some": (
        "test_two_who_purge_at_once_empty_each_letter_once",
        "Without the lock the second waits for the first, and finds its rows empty.",
    ),
    "throttle": (
        "test_tries_of_many_at_once_are_all_counted",
        "test_control_when_counting_is_two_statements_a_try_is_lost",
    ),
}

ONE_ROW = "one UPDATE with its condition, which the database carries out one after the other"
BY_DRAFT = "locks its import as leave_out_row does, by the same function"
PART = "a step of a larger verb, which is raced as a whole"
# Verbs that meet nobody in a test, and why.
NOT_RACED = {
    "accounts.change_password": "what it does under the lock is raced (accounts._replace_password)",
    "accounts.request_password_reset": "adds a row, after a try that is counted (throttle)",
    "help_feedback.give_help_feedback": "adds a row, whose key is unique, after a try that is counted (throttle)",
    "accounts.resend_verification": "adds a row, after a try that is counted (throttle)",
    "accounts.sign_in_user": "changes nothing but what is counted (throttle); tests/members/test_guessing.py",
    "api_tokens.revoke_api_token": ONE_ROW,
    "personal_data.export_member_data": "changes nothing; the log is added to",
    "predecessors.export_predecessor_data": "changes nothing; the log is added to",
    "notices.choose_notices": "holds the organization, and so comes before or after the other",
    "notices.set_notices_at_first": "holds the organization, and so comes before or after the other",
    "closing.ask_to_close": "holds the organization, as call_closing_off does",
    "closing_work.carry_closing_on": PART,
    "closing_work.close_due": PART,
    "closing_work.note_closing_done": ONE_ROW,
    "batch_attempts.begin_attempt": ONE_ROW,
    "batch_attempts.end_attempt": ONE_ROW,
    "factors.rename_passkey": ONE_ROW,
    "factors.use_passkey": ONE_ROW,
    "import_work.advance_at_once": PART,
    "import_work.advance_batches_task": PART,
    "import_work.advance_to_the_end": PART,
    "import_work.fail_first_row": PART,
    "import_work.finish_reading": PART,
    "import_work.prepare_departments": PART,
    "import_work.read_at_once": PART,
    "import_work.refuse_import": ONE_ROW,
    "import_work.store_rows": PART,
    "imports.change_row": BY_DRAFT,
    "imports.discard_batch": BY_DRAFT,
    "imports.leave_out_problems": BY_DRAFT,
    "imports.take_in_row": BY_DRAFT,
    "jobs.postpone_run": ONE_ROW,
    "jobs.retry_runs": ONE_ROW,
    "jobs.run_jobs_task": PART,
    "joining.note_opened": ONE_ROW,
    "joining.tell_inviter": ONE_ROW,
    "letters.hold_letters": ONE_ROW,
    "letters.note_trouble": ONE_ROW,
    "letters.postpone_letter": ONE_ROW,
    "letters.release_letters": ONE_ROW,
    "letters.renew_lease": ONE_ROW,
    "letters.retry_letters": ONE_ROW,
    "letters.send_letters": PART,
    "letters.send_letters_task": PART,
    "letters.settle_held_letters": ONE_ROW,
    "letters.settle_letter": ONE_ROW,
    "profile.change_language": ONE_ROW,
    "tallies.fold_long_tallies": "what it does is raced (tallies.fold_tallies)",
}
# What has one racer in hand while another acts.
FIXTURES = {"race", "meanwhile"}

type Parts = dict[str, tuple[ast.stmt, set[str]]]


def parts_of(path: Path) -> Parts:
    """What stands in a module by name, each with the names it uses."""
    parts: Parts = {}
    for node in ast.parse(path.read_text()).body:
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        used |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts[node.name] = (node, used)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    parts[target.id] = (node, used)
    return parts


def locks() -> Iterator[str]:
    """The functions that lock, or let a constraint decide; a statement of a module by its module."""
    for app, prefix in APPS.items():
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            name = prefix + path.relative_to(ROOT / app).with_suffix("").as_posix().replace("/", ".")
            for node in ast.parse(path.read_text()).body:
                if LOCK.search(ast.unparse(node)):
                    yield f"{name}.{node.name}" if isinstance(node, ast.FunctionDef | ast.ClassDef) else name


def verbs() -> Iterator[str]:
    """The public functions of services that change something: in a transaction of their own, or by one that does."""
    for path in sorted(path for app in APPS for path in (ROOT / app / "services").glob("*.py")):
        prefix = APPS[path.parts[-3]]
        functions = {name: part for name, part in parts_of(path).items() if isinstance(part[0], ast.FunctionDef)}
        changing = {name for name, (node, _used) in functions.items() if "durable=True" in decorators(node)}
        while more := {name for name, (_node, used) in functions.items() if name not in changing and used & changing}:
            changing |= more
        yield from (f"{prefix}{path.stem}.{name}" for name in sorted(changing) if not name.startswith("_"))


def decorators(node: ast.stmt) -> str:
    assert isinstance(node, ast.FunctionDef)
    return " ".join(ast.unparse(decorator) for decorator in node.decorator_list)


def raced() -> set[str]:
    """Every name that a test uses in which two meet, itself or by what stands beside it in its file."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        parts, seen = parts_of(path), set()
        todo = [name for name, (node, _used) in parts.items() if is_race(node)]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                found |= parts[name][1]
                todo += [other for other in parts[name][1] if other in parts]
    return found


def is_race(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
        return False
    return bool({argument.arg for argument in node.args.args} & FIXTURES)


def all_tests() -> dict[str, ast.stmt]:
    return {
        name: node
        for path in (ROOT / "tests").rglob("test_*.py")
        for name, (node, _used) in parts_of(path).items()
        if name.startswith("test_")
    }


def test_every_lock_is_known_and_named_with_its_race():
    assert set(locks()) == set(RACED | of_credit.RACED | of_voice.RACED | of_reports.RACED)


def test_every_race_that_is_named_exists_and_has_its_control():
    of_apps = (part.RACED for part in (of_credit, of_voice, of_reports))
    known, known_locks = all_tests(), [*RACED.values(), *(pair for part in of_apps for pair in part.values())]

    assert [race for race, _control in known_locks if race not in known or not is_race(known[race])] == []
    controls = [control for _race, control in known_locks if " " not in control]
    assert [control for control in controls if control not in known] == []


def test_every_verb_meets_another_in_a_race_or_says_why_not():
    met = raced()

    assert {verb for verb in verbs() if verb.rpartition(".")[2] not in met} == set(
        NOT_RACED | of_credit.NOT_RACED | of_voice.NOT_RACED | of_reports.NOT_RACED
    )
