"""What must be true of people, invitations, letters and imports, whatever has crashed. Figures only, no names."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model

from members.models import Department, Organization, User
from members.tallies import wrong_tallies
from skypemgr.invariants import Findings, count, invariant


@invariant
def letters_are_waiting_or_closed() -> Findings:
    """I8: every letter is closed, or due before long, and nobody holds one that is closed."""
    if number := count("SELECT count(*) FROM members_letter WHERE (state = 'waiting') <> (closed_at IS NULL)"):
        yield f"{number} letters are closed and waiting at once."
    if number := count("SELECT count(*) FROM members_letter WHERE state <> 'waiting' AND leased_until IS NOT NULL"):
        yield f"{number} closed letters are leased."
    if number := count(
        "SELECT count(*) FROM members_letter WHERE state = 'waiting'"
        " AND (due_at > clock_timestamp() + interval '5 hours' OR leased_until > clock_timestamp() + interval '1 hour')"
    ):
        yield f"{number} letters wait for a time that never comes."


@invariant
def nobody_acts_in_a_closed_organization() -> Findings:
    """A day after an organization was closed, nobody is active or invited in it, and no token of it works."""
    closed = (
        "JOIN members_organization organization ON organization.id = entry.organization_id"
        " AND organization.closed_at < clock_timestamp() - interval '1 day'"
    )
    if number := count(
        f"SELECT count(*) FROM members_member entry {closed} WHERE entry.state IN ('active', 'invited')"
    ):
        yield f"{number} members are active or invited in an organization that is closed."
    if number := count(f"SELECT count(*) FROM members_invitation entry {closed} WHERE entry.state = 'pending'"):
        yield f"{number} invitations are open to an organization that is closed."


@invariant
def rows_of_imports_are_applied_once() -> Findings:
    """I9: the rows that were applied are the distinct valid ones, each with the member that came of it."""
    imports = (
        "FROM members_batchrow entry JOIN members_batch batch ON batch.id = entry.batch_id"
        " AND batch.kind = 'import_members'"
    )
    if number := count(f"SELECT count(*) {imports} WHERE (entry.outcome = 'done') <> (entry.member_id IS NOT NULL)"):
        yield f"{number} rows of imports are done without a member, or have one without being done."
    if number := count(
        f"SELECT count(*) FROM (SELECT 1 {imports} AND entry.outcome = 'done'"
        " GROUP BY entry.member_id HAVING count(*) > 1) x"
    ):
        yield f"{number} members came of more than one entry."
    if number := count(
        f"SELECT count(*) FROM (SELECT 1 {imports} AND entry.outcome = 'done' AND entry.match_key <> ''"
        " GROUP BY entry.batch_id, entry.match_key HAVING count(*) > 1) x"
    ):
        yield f"{number} addresses of an import were applied more than once."
    if number := count(f"SELECT count(*) {imports} WHERE batch.state = 'done' AND entry.outcome = 'ready'"):
        yield f"{number} rows of finished imports were not applied."
    if number := count(
        "SELECT count(*) FROM members_batch batch JOIN (SELECT batch_id, count(*) AS rows FROM members_batchrow"
        " GROUP BY batch_id) counted ON counted.batch_id = batch.id"
        " WHERE batch.kind = 'import_members' AND batch.state <> 'refused' AND batch.total <> counted.rows"
    ):
        yield f"{number} imports count other rows than they have."


MEMBERS = "SELECT member.id FROM members_member member JOIN members_user account ON account.id = member.user_id"
# What was changed, how to find it, and the entries of the log that must stand for each: all at once or none.
CHANGES = {
    "members added": (
        f"{MEMBERS} WHERE account.kind = 'business'",
        "SELECT subject_member_id FROM members_auditentry WHERE action = 'member.added'",
    ),
    "members who joined with an account of their own": (
        f"{MEMBERS} WHERE account.kind = 'personal' AND account.erased_at IS NULL",
        "SELECT subject_member_id FROM members_auditentry WHERE action IN ('member.joined', 'organization.set_up')",
    ),
    "members who left": (
        "SELECT id FROM members_member WHERE state = 'left'",
        "SELECT subject_member_id FROM members_auditentry WHERE action IN ('member.left', 'invitation.canceled')",
    ),
    "blocked members": (
        "SELECT id FROM members_member WHERE state = 'blocked'",
        "SELECT subject_member_id FROM members_auditentry WHERE action = 'member.blocked'",
    ),
    "accounts handed over": (
        f"{MEMBERS} WHERE account.handed_over_at IS NOT NULL",
        "SELECT subject_member_id FROM members_auditentry WHERE action = 'member.handed_over'",
    ),
    "decisions about call detail": (
        "SELECT id FROM members_calldetailconsent",
        "SELECT subject_id FROM members_auditentry WHERE action IN ('consent.given', 'consent.withdrawn')",
    ),
    "canceled invitations": (
        "SELECT id FROM members_invitation WHERE state = 'canceled'",
        "SELECT subject_id FROM members_auditentry WHERE action = 'invitation.canceled'",
    ),
    "declined invitations": (
        "SELECT id FROM members_invitation WHERE state = 'declined'",
        "SELECT subject_id FROM members_auditentry WHERE action = 'invitation.declined'",
    ),
}
# An import that is tried again is begun again, and finished again.
ENTRIES_OF_IMPORTS = """
    SELECT count(*) FROM members_batch batch LEFT JOIN (
        SELECT subject_id, count(*) FILTER (WHERE action = 'batch.started') AS begun,
            count(*) FILTER (WHERE action = 'batch.finished') AS finished
        FROM members_auditentry WHERE subject_type = 'batch' GROUP BY subject_id
    ) entries ON entries.subject_id = batch.id
    WHERE batch.kind = 'import_members' AND (
        (batch.state = 'done' AND (entries.begun IS NULL OR entries.begun <> entries.finished))
        OR (batch.state = 'running' AND (entries.begun IS NULL OR entries.begun <> entries.finished + 1)))
"""


@invariant
def changes_are_in_the_log() -> Findings:
    """I11: what has happened stands in the log, as far as the rows still tell that it has."""
    for what, (changed, logged) in CHANGES.items():
        # Five times as quick as EXCEPT, which sorts every key of both.
        missing = f"NOT EXISTS (SELECT FROM ({logged}) AS logged (id) WHERE logged.id = changed.id)"
        if number := count(f"SELECT count(*) FROM ({changed}) AS changed (id) WHERE {missing}"):
            yield f"{number} {what} are not in the log."
    if number := count(ENTRIES_OF_IMPORTS):
        yield f"{number} imports are not in the log as often as they were begun and finished."


def _owning_field(model: type[Model]) -> str | None:
    """The column that says which organization a row belongs to, or None for rows of no organization."""
    if model is Organization:
        return "id"
    if model is User:
        return None
    for field in model._meta.local_fields:
        if isinstance(field, ForeignKey) and field.related_model is Organization:
            return field.column
    return None


def references() -> Iterator[tuple[str, str]]:
    """Every reference between rows of organizations: its name, and SQL that counts those that cross the fence."""
    for model in apps.get_models():
        owner = _owning_field(model)
        if owner is None or model is Organization:
            continue
        for field in model._meta.local_fields:
            target: Any = field.related_model
            if not isinstance(field, ForeignKey) or target is Organization:
                continue
            name = f"{model._meta.model_name}.{field.name}"
            if target is User:
                # A business account is its organization's; a personal one may be anywhere. An operator acts everywhere.
                yield (
                    name,
                    (
                        f"SELECT count(*) FROM {model._meta.db_table} source JOIN members_user target"
                        f" ON target.id = source.{field.column} WHERE target.owner_id <> source.{owner}"
                    ),
                )
            elif (other := _owning_field(target)) is not None:
                yield (
                    name,
                    (
                        f"SELECT count(*) FROM {model._meta.db_table} source JOIN {target._meta.db_table} target"
                        f" ON target.id = source.{field.column} WHERE target.{other} <> source.{owner}"
                    ),
                )


@invariant
def no_row_refers_to_another_organization() -> Findings:
    """I12: the fence, asked of every reference that the models have."""
    for name, sql in references():
        if number := count(sql):
            yield f"{number} rows refer by {name} to another organization."


@invariant
def every_organization_has_an_administrator() -> Findings:
    """Somebody can act for each organization that is open, or will as soon as they have joined."""
    if number := count(
        "SELECT count(*) FROM members_organization organization WHERE organization.closed_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM members_member member WHERE member.organization_id = organization.id"
        " AND member.role = 'administrator' AND member.state IN ('active', 'invited'))"
    ):
        yield f"{number} organizations have no administrator."


@invariant
def members_have_one_open_invitation_at_most() -> Findings:
    """Two would be two links that work; and one that waits belongs to a member who does."""
    if number := count(
        "SELECT count(*) FROM (SELECT 1 FROM members_invitation WHERE state = 'pending' AND member_id IS NOT NULL"
        " GROUP BY member_id HAVING count(*) > 1) x"
    ):
        yield f"{number} members have more than one open invitation."
    if number := count(
        "SELECT count(*) FROM members_invitation invitation"
        " JOIN members_member member ON member.id = invitation.member_id"
        " JOIN members_user account ON account.id = member.user_id"
        " WHERE invitation.kind = 'business' AND invitation.state = 'accepted' AND member.state = 'invited'"
        # Those of whoever had the account before were accepted.
        " AND (account.handed_over_at IS NULL OR invitation.closed_at > account.handed_over_at)"
    ):
        yield f"{number} accepted invitations left their member waiting."


@invariant
def everybody_has_one_tenure_at_a_time() -> Findings:
    """Whoever is a member has an account since a moment, and nobody else had it then."""
    if number := count(
        "SELECT count(*) FROM members_member member LEFT JOIN members_tenure tenure"
        " ON tenure.member_id = member.id AND tenure.ended_at IS NULL"
        " WHERE (member.state = 'left') <> (tenure.id IS NULL)"
    ):
        yield f"{number} members are nobody's, or somebody's although they have left."
    if number := count(
        "SELECT count(*) FROM (SELECT started_at, lag(coalesce(ended_at, 'infinity')) OVER"
        " (PARTITION BY member_id ORDER BY started_at, id) AS free FROM members_tenure) x WHERE started_at < free"
    ):
        yield f"{number} tenures began before the one before had ended."
    if number := count(
        "SELECT count(*) FROM members_user account JOIN members_member member ON member.user_id = account.id"
        " JOIN (SELECT member_id, max(started_at) AS since, count(*) AS people FROM members_tenure GROUP BY member_id)"
        " tenures ON tenures.member_id = member.id"
        " WHERE account.handed_over_at IS DISTINCT FROM CASE WHEN people > 1 THEN since END"
    ):
        yield f"{number} accounts were handed over at another time than their tenures say."


@invariant
def departments_form_trees() -> Findings:
    """Every department is reached from one without a parent, at the depth there may be, by the path it says."""
    if number := count(
        "WITH RECURSIVE tree AS ("
        " SELECT id, 1 AS depth, name::text AS path FROM members_department WHERE parent_id IS NULL"
        " UNION ALL SELECT child.id, depth + 1, tree.path || ' / ' || child.name"
        f" FROM members_department child JOIN tree ON tree.id = child.parent_id WHERE depth < {Department.MAX_DEPTH}"
        ") SELECT count(*) FROM members_department department LEFT JOIN tree ON tree.id = department.id"
        " WHERE tree.path IS DISTINCT FROM department.path"
    ):
        yield f"{number} departments are in no tree, or not where their path says."


@invariant
def identities_are_frozen() -> Findings:
    """The triggers that freeze accounts and the log are there and at work, and a business account is in one place."""
    if number := count(
        "SELECT 2 - count(*) FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
        " AND (tgname LIKE 'pgtrigger_identity_is_frozen%' AND tgrelid = 'members_user'::regclass"
        " OR tgname LIKE 'pgtrigger_append_only%' AND tgrelid = 'members_auditentry'::regclass)"
    ):
        yield f"{number} triggers that freeze accounts and the log are missing or switched off."
    if number := count(
        "SELECT count(*) FROM (SELECT 1 FROM members_member member JOIN members_user account"
        " ON account.id = member.user_id AND account.kind = 'business' GROUP BY account.id HAVING count(*) > 1) x"
    ):
        yield f"{number} business accounts are members more than once."


# Of each change of many members: who was meant, what the slices say came of them, and what the rows say.
RUNS = """
    SELECT count(*) FROM members_batch batch
    LEFT JOIN (
        SELECT batch_id, sum(cardinality(members)) AS meant, sum(changed + untouched + failed) AS noted,
            sum(changed) AS changed, bool_or(changed IS NULL) AS waits
        FROM members_batchslice GROUP BY batch_id
    ) slices ON slices.batch_id = batch.id
    LEFT JOIN (
        SELECT batch_id, count(*) AS rows, count(DISTINCT coalesce(-invitation_id, member_id)) AS people,
            count(*) FILTER (WHERE outcome = 'done') AS done
        FROM members_batchrow WHERE outcome <> 'ready' GROUP BY batch_id
    ) outcome ON outcome.batch_id = batch.id
    WHERE batch.kind <> 'import_members' AND batch.state <> 'draft'
        AND NOT (batch.state = 'canceled' AND batch.started_at IS NULL) AND (
        coalesce(slices.meant, 0) <> batch.total
        OR coalesce(slices.noted, 0) <> coalesce(outcome.rows, 0)
        OR coalesce(slices.changed, 0) <> coalesce(outcome.done, 0)
        OR outcome.rows <> outcome.people
        OR (batch.state = 'done' AND slices.waits))
"""


@invariant
def changes_of_many_are_made_once() -> Findings:
    """I9: of those who were meant each has one row, as soon as the slice that names them is carried out."""
    if number := count(RUNS):
        yield f"{number} changes of many members don't add up."


@invariant
def tallies_are_what_counting_gives() -> Findings:
    """What lists say without counting is what counting would say."""
    if wrong := wrong_tallies():
        yield f"The tallies of {len(wrong)} organizations differ from their members."
