"""Every lock there is, and the test that races for it; a new lock without one is red."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = re.compile(r"select_for_update|pg_(?:try_)?advisory|ON CONFLICT|(?:ignore|update)_conflicts")

# The function that locks, or lets a constraint decide, and the test that has two of them meet.
RACED = {
    "acts.lock_members": "test_leaving_while_being_blocked_is_one_or_both_in_one_order",
    "acts.block": "test_whoever_is_blocked_while_they_work_is_refused_from_the_next_request_on",
    "locks.lock_organization": "test_one_name_for_two_departments_at_once_makes_one",
    "services.accounts.reset_password": "test_a_reset_link_opened_twice_at_once_sets_one_password",
    "services.import_work.create_chunk": "test_two_workers_never_have_the_same_rows_in_hand",
    "services.imports.start_batch": "test_two_clicks_on_create_make_each_account_once",
    "services.invitations._lock_members": (
        "test_accepting_and_changing_at_the_same_moment_leave_one_order_and_no_live_old_link"
    ),
    "services.invitations._lock_invitations": (
        "test_accepting_and_changing_at_the_same_moment_leave_one_order_and_no_live_old_link"
    ),
    "restores.hold_after_restore": "test_senders_who_notice_a_restore_at_once_hold_everything_once",
    "services.jobs.claim_run": "test_ten_ticks_at_once_run_each_job_once",
    "services.jobs.plan_runs": "test_ten_ticks_at_once_run_each_job_once",
    "services.joining.accept_business_invitation": "test_fifty_uses_of_one_link_at_the_same_moment_make_one_account",
    "services.joining._take_in": "test_accepting_and_declining_at_once_is_one_of_them",
    "services.letters.claim_letters": "test_two_senders_take_different_letters",
    "services.members._lock_member": "test_two_administrators_who_demote_each_other_at_once_leave_one",
    "services.organizations._set_up": "test_of_two_first_set_ups_at_the_same_instant_one_is_refused",
    "services.profile._replace_address": "test_an_invitation_accepted_while_its_person_moves_is_theirs_at_one_address",
    "services.profile._lock_memberships": "test_an_invitation_accepted_while_its_person_moves_is_theirs_at_one_address",
    "services.profile._lock_user": "test_an_invitation_accepted_while_its_person_moves_is_theirs_at_one_address",
    "services.profile.leave_organization": (
        "test_two_last_administrators_who_leave_at_the_same_moment_leave_one_behind"
    ),
    "throttle": "test_tries_at_the_same_moment_are_all_counted",
    "confirmation.confirm_address": "test_an_address_confirmed_twice_at_once_releases_the_letters_once",
    "confirmation.hold_unreleased": "test_a_password_is_reset_while_the_founders_role_is_changed",
    "factors.lock_account": "test_recovery_codes_renewed_twice_at_once_are_ten",
    "locks.take_turn": "test_two_workers_carry_out_each_slice_once",
    "services.accounts._finish_first_password": "test_a_first_password_chosen_twice_at_once_lets_in_once",
    "services.erasure._lock": "test_erased_by_two_at_once_is_erased_once",
    "services.factors.reset_second_factor": "test_a_second_factor_reset_by_two_at_once_is_reset_once",
    "services.operators.appoint_operator": "test_appointing_and_dismissing_at_once_leaves_what_the_later_said",
    "services.operators.dismiss_operator": "test_an_operator_dismissed_twice_at_once_is_dismissed_once",
    "batch_kinds._resend": "test_an_invitation_accepted_while_a_run_sends_it_again_is_sent_or_accepted",
    "services.demo.seed_demo": "test_two_demo_companies_wanted_at_once_are_one",
    "services.departments.delete_department": (
        "test_a_department_deleted_while_somebody_is_put_into_it_leaves_nobody_in_it"
    ),
    "services.imports._lock_draft": "test_a_row_left_out_while_its_import_starts_is_out_or_too_late",
    "services.imports.cancel_batch": "test_an_import_canceled_by_two_at_once_is_canceled_once",
    "services.imports.retry_failed_rows": "test_failed_rows_retried_by_two_at_once_are_retried_once",
    "services.jobs.show_life": "test_ten_workers_who_show_life_at_once_leave_one_sign",
    "services.organization_settings._sort_some": (
        "test_another_language_and_another_name_at_once_are_sorted_as_the_language_sorts"
    ),
    "services.purge._some": "test_two_who_purge_at_once_empty_each_letter_once",
}


def locks() -> Iterator[str]:
    """The functions of members that lock, or let a constraint decide; a statement of a module by its module."""
    for path in sorted((ROOT / "members").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        name = path.relative_to(ROOT / "members").with_suffix("").as_posix().replace("/", ".")
        for node in ast.parse(path.read_text()).body:
            if LOCK.search(ast.unparse(node)):
                yield f"{name}.{node.name}" if isinstance(node, ast.FunctionDef | ast.ClassDef) else name


def test_every_lock_is_known_and_named_with_its_race():
    assert set(locks()) == set(RACED)


def test_every_race_that_is_named_exists():
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name in RACED.values() if not re.search(rf"def {name}\(.*(race|meanwhile)", tests)] == []
