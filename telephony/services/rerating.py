"""Calls that were charged are rated again, as after a rate deck was corrected."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import take_time
from members.models import Organization
from skypemgr.kill_points import kill_point
from telephony.call_errors import Tried
from telephony.calls.charging import charge_calls
from telephony.calls.rerating import rate_again, take_back
from telephony.calls.rollups import expect_effects, roll_up
from telephony.calls.storing import lock_calls
from telephony.models import Call

CHUNK = 10_000
RATED = (Call.Outcome.RATED, Call.Outcome.COVERED)
type Place = tuple[datetime, int]


@dataclass
class ReratedCalls:
    """How many calls were looked at and how many cost otherwise now, what was given back and what was charged anew."""

    calls: int = 0
    changed: int = 0
    given_back: Decimal = Decimal("0.0000")
    charged: Decimal = Decimal("0.0000")
    # The last call that was looked at, where there may be more behind it.
    behind: Place | None = None


def rerate_calls(
    *,
    actor: Actor,
    organization: Organization,
    first: date,
    last: date,
    most: int | None = None,
    behind: Place | None = None,
    dry_run: bool = False,
) -> ReratedCalls:
    """Rate the calls of some days of an organization again, both included, ten thousand at a time.

    What a call was charged is given back and what it costs by the rates of now is charged, in one transaction; a call
    that costs the same is left alone, and so is one that no rate is known for any more. Safe to repeat. Calls without
    a rate are for ``rate_waiting_calls``. With ``dry_run`` nothing is kept. With ``most`` it ends after so many calls,
    and says ``behind`` which to go on.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    rerated = ReratedCalls()
    begin, end = (datetime.combine(day, time(), tzinfo=UTC) for day in (first, last))
    asked = Call.objects.filter(
        organization=organization,
        at__gte=begin - timedelta(days=2),
        at__lt=end + timedelta(days=3),
        day__gte=first,
        day__lte=last,
        outcome__in=RATED,
    ).order_by("at", "id")
    rerated.behind = behind
    while calls := list(asked.filter(_behind(rerated.behind)).values_list("at", "id")[:CHUNK]):
        rerated.behind = calls[-1]
        rerated.calls += len(calls)
        with suppress(Tried):
            _rerate_some(actor=actor, organization=organization, calls=calls, dry_run=dry_run, into=rerated)
        if most is not None and rerated.calls >= most and asked.filter(_behind(rerated.behind)).exists():
            return rerated
    rerated.behind = None
    return rerated


def _behind(place: Place | None) -> Q:
    return Q(at__gt=place[0]) | Q(at=place[0], id__gt=place[1]) if place else Q()


@transaction.atomic(durable=True)
def _rerate_some(
    *, actor: Actor, organization: Organization, calls: list[Place], dry_run: bool, into: ReratedCalls
) -> None:
    take_time()
    lock_calls(organization)
    expect_effects()
    changed = rate_again(organization, calls)
    if not changed:
        return
    roll_up(organization)
    given_back = take_back(organization=organization, actor=actor)
    charged = charge_calls(organization=organization, actor=actor)
    record(
        organization=organization,
        actor=actor,
        action=Action.CALLS_RERATED,
        subject=organization,
        after={"calls": changed, "amount": f"{charged - given_back:.4f}"},
    )
    kill_point("calls.before_rerated")
    into.changed += changed
    into.given_back += given_back
    into.charged += charged
    if dry_run:
        raise Tried
