"""Calls that wait are resolved: those of nobody are given to somebody, those without a rate are rated again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.query import QuerySet

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import take_time
from members.models import Member, Organization
from telephony.call_errors import CodeTaken, NothingWaits, Tried
from telephony.call_files import CallRow
from telephony.calls.charging import charge_calls
from telephony.calls.covering import cover
from telephony.calls.reading import read_staged
from telephony.calls.rollups import add_effects, expect_effects, roll_up
from telephony.calls.storing import STAGE, lock_calls, mend_staged, stage
from telephony.models import AccountCode, Call

CHUNK = 10_000
Outcome = Call.Outcome


@dataclass
class ResolvedCalls:
    """How many calls wait no more, and what was charged for them; how many of those that were asked for still do."""

    calls: int = 0
    waiting: int = 0
    charged: Decimal = Decimal("0.0000")
    # The key up to which they were looked at, and whether there are more behind it.
    behind: int = field(default=0, repr=False)
    more: bool = field(default=False, repr=False)


type Waiting = Callable[[], QuerySet[Call]]


def assign_calls(
    *,
    actor: Actor,
    organization: Organization,
    member: Member,
    account: str,
    by_caller: bool = False,
    remember: bool = False,
    most: int | None = None,
    dry_run: bool = False,
) -> ResolvedCalls:
    """Give the calls of an account that nobody is known by to a member: rated, charged and added up as theirs.

    With ``by_caller`` ``account`` is who called, of calls that have no account. With ``remember`` the account is
    theirs from now on, as an account code; with ``dry_run`` nothing is kept. With ``most`` it ends behind so many
    calls; what is left of them waits to be asked for again. Raises NothingWaits, CodeTaken.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    if member.organization_id != organization.pk:
        raise PermissionDenied
    if remember and not by_caller and not dry_run:
        _remember(actor=actor, organization=organization, member=member, account=account)

    def waiting() -> QuerySet[Call]:
        calls = Call.objects.filter(organization=organization, outcome=Outcome.UNASSIGNED)
        return calls.filter(account="", caller=account) if by_caller else calls.filter(account__iexact=account)

    resolved = _resolve(
        actor=actor,
        organization=organization,
        waiting=waiting,
        member=member.pk,
        dry_run=dry_run,
        behind=0,
        most=most,
    )
    if not resolved.calls and not remember:
        raise NothingWaits(account=account)
    return resolved


def rate_waiting_calls(
    *, actor: Actor, organization: Organization, behind: int = 0, most: int | None = None, dry_run: bool = False
) -> ResolvedCalls:
    """Rate the calls that had no rate again; those that still have none go on waiting. ``dry_run`` keeps nothing.

    With ``most`` it ends behind so many calls, and goes on from ``behind`` when it is asked again.
    """
    require(actor, organization, Capability.MANAGE_VOICE)

    def waiting() -> QuerySet[Call]:
        return Call.objects.filter(organization=organization, outcome=Outcome.UNRATED)

    return _resolve(actor=actor, organization=organization, waiting=waiting, dry_run=dry_run, behind=behind, most=most)


@transaction.atomic(durable=True)
def _remember(*, actor: Actor, organization: Organization, member: Member, account: str) -> None:
    lock_calls(organization)
    code, made = AccountCode.objects.get_or_create(
        organization=organization, code=account.lower(), defaults={"member": member}
    )
    if code.member_id != member.pk:
        raise CodeTaken(account=account)
    if made:
        record(
            organization=organization,
            actor=actor,
            action=Action.ACCOUNT_CODE_GIVEN,
            subject=member,
            member=member,
            after={"account": account},
        )


def _resolve(
    *,
    actor: Actor,
    organization: Organization,
    waiting: Waiting,
    dry_run: bool,
    behind: int,
    most: int | None,
    member: int | None = None,
) -> ResolvedCalls:
    resolved = ResolvedCalls(behind=behind)
    while calls := list(waiting().filter(id__gt=resolved.behind).order_by("id")[:CHUNK]):
        if most is not None and resolved.calls + resolved.waiting >= most:
            resolved.more = True
            break
        resolved.behind = calls[-1].id
        try:
            _resolve_some(
                actor=actor,
                organization=organization,
                waiting=waiting,
                keys=[call.id for call in calls],
                member=member,
                dry_run=dry_run,
                into=resolved,
            )
        except Tried:
            continue
    return resolved


@transaction.atomic(durable=True)
def _resolve_some(
    *,
    actor: Actor,
    organization: Organization,
    waiting: Waiting,
    keys: list[int],
    member: int | None,
    dry_run: bool,
    into: ResolvedCalls,
) -> None:
    take_time()
    lock_calls(organization)
    # Those that somebody has resolved meanwhile wait no more.
    calls = list(waiting().filter(id__in=keys).order_by("id"))
    rows = [_row(call) for call in calls]
    staged = read_staged(organization, rows, members=[member or call.member_id for call in calls])
    stage(staged, keys=[call.id for call in calls])
    expect_effects()
    add_effects(organization, STAGE, sign=-1)
    mend_staged(organization)
    add_effects(organization, STAGE)
    cover(organization)
    roll_up(organization)
    into.charged += charge_calls(organization=organization, actor=actor)
    left = waiting().filter(id__in=[call.id for call in calls]).count()
    into.calls += len(calls) - left
    into.waiting += left
    if len(calls) > left:
        record(
            organization=organization,
            actor=actor,
            action=Action.CALLS_RESOLVED,
            subject=organization,
            after={"calls": len(calls) - left},
        )
    if dry_run:
        raise Tried


def _row(call: Call) -> CallRow:
    return CallRow(
        row=0,
        external_id="",
        leg="",
        linked_id="",
        direction=call.direction if call.direction == Call.Direction.INBOUND else "",
        account=call.account,
        caller=call.caller,
        called=call.called,
        started_at=call.at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        duration=call.duration,
        seconds=call.seconds,
        disposition="",
    )
