"""The log of what was done to many members at once, written by the database as a set."""

from collections.abc import Mapping, Sequence
from itertools import batched

from django.db import connection, models, transaction
from django.db.models import F, Value
from django.db.models.functions import Cast
from django.utils import timezone

from members.access import Actor
from members.audit import Action, work_at_hand
from members.models import AuditEntry, AuditOrigin, Member, Organization

AT_ONCE = 5_000


@transaction.atomic(savepoint=False)
def record_for_members(
    *,
    organization: Organization,
    actor: Actor,
    action: Action,
    keys: Sequence[int],
    before: models.Expression | Mapping[str, object],
    after: Mapping[str, object],
    reason: str = "",
) -> None:
    """Write an entry for each member of ``keys``, in the transaction of the change itself.

    ``before`` may be an expression over members, so it is written while they still are as they were.
    """
    origin = None
    if actor.user is not None and actor.address:
        origin, _created = AuditOrigin.objects.get_or_create(user=actor.user, address=actor.address)
    entry: dict[str, models.Expression | F] = {
        "organization_id": _key(organization.pk),
        "at": Value(timezone.now()),
        "actor_kind": Value(actor.kind.value),
        "actor_user_id": _key(actor.user.pk if actor.user else None),
        "actor_member_id": _key(actor.member.pk if actor.member else None),
        "origin_id": _key(origin.pk if origin else None),
        "action": Value(action.value),
        "subject_type": Value("member"),
        "subject_id": F("pk"),
        "subject_member_id": F("pk"),
        "before": before if isinstance(before, models.Expression) else _json(before),
        "after": _json(after),
        "reason": Value(reason),
        **{name: Value(found) for name, found in work_at_hand().items()},
    }
    table, *columns = map(connection.ops.quote_name, [AuditEntry._meta.db_table, *entry])
    for some in batched(keys, AT_ONCE, strict=False):
        members = Member.objects.filter(pk__in=some).order_by("pk").values_list(*entry.values())
        select, params = members.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) {select}", params)


def _key(value: int | None) -> Value:
    return Value(value, output_field=models.BigIntegerField())


def _json(value: Mapping[str, object]) -> Cast:
    return Cast(Value(dict(value), output_field=models.JSONField()), models.JSONField())
