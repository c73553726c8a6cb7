"""What the end of an organization means to its numbers and licenses."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from members.access import Actor
from members.acts import lock_members
from members.audit import Action, Fact, record_many
from members.locks import lock_organization, take_time
from members.models import Member, Organization
from members.registry import ClosingStep, Obstacle, Text, registry
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.templatetags.look import count
from telephony.assigning import take_back
from telephony.models import License, LicenseAssignment, NumberAssignment, PhoneNumber, PortOrder
from telephony.releasing import give_back
from telephony.seating import end_all_seats, lock_all_licenses
from telephony.selectors.licenses import voice_is_open

AT_ONCE = 500
UNDER_WAY = (PortOrder.State.PROCESSING, PortOrder.State.CONTACTING, PortOrder.State.APPROVED)


def obstacles(organization: Organization) -> Sequence[Obstacle]:
    """Numbers that another carrier is about to hand over."""
    if not PortOrder.objects.filter(organization=organization, state__in=UNDER_WAY).exists():
        return []
    text = gettext("Numbers are being brought in from another carrier. Cancel that order, or wait until it is done.")
    return [Obstacle(text, reverse("porting:order_list", args=[organization.slug]))]


def consequences(organization: Organization) -> Sequence[str]:
    """What becomes of numbers and licenses; nothing of what there is none of."""
    found = []
    if numbers := PhoneNumber.objects.of(organization).count():
        text = ngettext(
            "{number} phone number goes back to the stock. Nobody reaches you by it any more.",
            "{number} phone numbers go back to the stock. Nobody reaches you by them any more.",
            numbers,
        )
        found.append(text.format(number=count(numbers)))
    if seats := _owned(organization):
        text = ngettext(
            "{number} license ends. What was paid for it is not paid back.",
            "{number} licenses end. What was paid for them is not paid back.",
            seats,
        )
        found.append(text.format(number=count(seats)))
    return found


def _owned(organization: Organization) -> int:
    seats = License.objects.filter(organization=organization).owned().aggregate(seats=Sum("quantity"))["seats"]
    return int(seats or 0)


def files(organization: Organization) -> Sequence[tuple[Text, str]]:
    """What to export first; without a license that opens Voice there is no list."""
    if not PhoneNumber.objects.of(organization).exists() or not voice_is_open(organization):
        return []
    return [(gettext("Phone numbers and who has them"), reverse("telephony:number_export", args=[organization.slug]))]


@transaction.atomic(savepoint=False)
def carry_on(organization: Organization) -> int:
    """Give some numbers back, then end the seats of some people, then the licenses; gives how many."""
    take_time()
    lock_organization(organization)
    return _give_back(organization) or _end_seats(organization) or _end_licenses(organization)


def _give_back(organization: Organization) -> int:
    system, now = Actor.system(), database_now()
    own = PhoneNumber.objects.of(organization)
    keys = list(own.order_by("number", "id").values_list("pk", flat=True)[:AT_ONCE])
    if not keys:
        return 0
    holders = NumberAssignment.objects.filter(organization=organization, number__in=keys, until=None)
    people = lock_members(Member.objects.filter(pk__in=holders.values("member")))
    take_back(actor=system, organization=organization, members=people, now=now, cooling_days=0)
    # Nobody does anything to numbers of an organization that is closed, so they are as good as locked.
    numbers = own.filter(pk__in=keys).select_related("area").order_by("pk")
    give_back(actor=system, organization=organization, locked=list(numbers), now=now)
    return len(keys)


def _end_seats(organization: Organization) -> int:
    seats = LicenseAssignment.objects.filter(organization=organization).open()
    some = seats.order_by("member").values_list("member", flat=True).distinct()[:AT_ONCE]
    keys = lock_members(Member.objects.filter(pk__in=list(some)))
    end_all_seats(organization, Actor.system(), keys)
    return len(keys)


def _end_licenses(organization: Organization) -> int:
    owned = lock_all_licenses(organization)
    License.objects.filter(pk__in=[bought.pk for bought in owned]).update(ended_at=DatabaseClock())
    facts = [
        Fact(
            action=Action.LICENSE_ENDED,
            subject=bought,
            after={"product": bought.product.code, "quantity": bought.quantity},
        )
        for bought in owned
    ]
    record_many(organization=organization, actor=Actor.system(), facts=facts)
    return len(owned)


def register() -> None:
    """Called once at start-up."""
    registry.add(
        ClosingStep(
            key="voice",
            order=30,
            obstacles=obstacles,
            consequences=consequences,
            files=files,
            carry_on=carry_on,
        )
    )
