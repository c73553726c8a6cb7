"""The five steps to calls, as the guide of Voice shows them (seed 004)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, Func, JSONField, OuterRef
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from members.models import Letter, Organization
from skypemgr.lists import count_up_to
from skypemgr.templatetags.look import count
from telephony.models import EmergencyAddress, NumberAssignment
from telephony.quotas import COUNTED, Quota
from telephony.selectors.licenses import count_seats

# So many are counted of those who were sent no letter.
MOST_UNTOLD = 1_000


@dataclass(frozen=True)
class VoiceStep:
    """A step as it stands for an organization; the first that isn't done is next. ``url`` is "" without a page."""

    label: str
    note: str
    done: bool
    action_label: str = ""
    url: str = ""
    is_next: bool = False


def steps_of(organization: Organization, quota: Quota, *, address_first: bool) -> list[VoiceStep]:
    """The steps in the order of the organization's country (004-06): where numbers come with an address, that first."""
    middle = [_numbers(organization, quota), _addresses(organization)]
    if address_first:
        middle.reverse()
    return _with_next([_licenses(organization, quota), *middle, _assignment(organization), _letters(organization)])


def _licenses(organization: Organization, quota: Quota) -> VoiceStep:
    """Done once somebody has one: with what is bought and lies there, nobody can be given a number."""
    text = ngettext("{number} license of Phone System", "{number} licenses of Phone System", quota.licenses)
    note, assigned = text.format(number=count(quota.licenses)), False
    action_label, url_name = gettext("Buy licenses"), "telephony:buy_licenses"
    if quota.licenses:
        seats = count_seats(organization)
        assigned = any(seats[code].assigned for code in COUNTED if code in seats)
        if not assigned:
            note = gettext("{licenses}, and nobody has one yet").format(licenses=note)
        action_label, url_name = gettext("Assign licenses"), "members:member_list"
    return VoiceStep(
        label=gettext("Buy and assign licenses"),
        note=note,
        done=assigned,
        action_label=action_label,
        url=reverse(url_name, args=[organization.slug]),
    )


def _numbers(organization: Organization, quota: Quota) -> VoiceStep:
    note = gettext("{more} can be acquired")
    if quota.owned:
        note = ngettext(
            "{number} number, {more} more can be acquired", "{number} numbers, {more} more can be acquired", quota.owned
        )
    return VoiceStep(
        label=gettext("Get phone numbers"),
        note=note.format(number=count(quota.owned), more=count(quota.can_acquire)),
        done=quota.owned > 0,
        action_label=gettext("Add numbers"),
        url=reverse("telephony:numbers_add", args=[organization.slug]),
    )


def _addresses(organization: Organization) -> VoiceStep:
    number = EmergencyAddress.objects.filter(organization=organization).live().count()
    note = gettext("Where people are found when they call for help")
    if number:
        note = ngettext("{number} address", "{number} addresses", number).format(number=count(number))
    return VoiceStep(
        label=gettext("Add emergency addresses and places"),
        note=note,
        done=number > 0,
        action_label=gettext("Add an address"),
        url=reverse("emergency:address_add", args=[organization.slug]),
    )


def _assignment(organization: Organization) -> VoiceStep:
    number = NumberAssignment.objects.filter(organization=organization, until=None).count()
    note = gettext("To the people who will call")
    if number:
        text = ngettext("{number} person has a number", "{number} people have a number", number)
        note = text.format(number=count(number))
    return VoiceStep(
        label=gettext("Assign numbers and emergency addresses"),
        note=note,
        done=number > 0,
        action_label=gettext("Assign numbers"),
        url=reverse("telephony:voice_user_list", args=[organization.slug]) + "?state=waiting",
    )


def _letters(organization: Organization) -> VoiceStep:
    """Done once everybody who has a number was sent a letter about it; who was told otherwise is not known."""
    held = NumberAssignment.objects.filter(organization=organization, until=None)
    sent = Letter.objects.filter(
        organization=organization,
        member=OuterRef("member"),
        kind=Letter.Kind.NUMBER_ASSIGNED,
        state=Letter.State.SENT,
        facts__assignment=Func(OuterRef("pk"), function="to_jsonb", output_field=JSONField()),
    )
    untold = count_up_to(held.filter(~Exists(sent)), MOST_UNTOLD)
    note = gettext("By letter, or on a list that you print")
    if untold.number:
        text = ngettext("{number} person was sent no letter", "{number} people were sent no letter", untold.number)
        note = text.format(number=untold)
    return VoiceStep(
        label=gettext("Tell people their numbers"),
        note=note,
        done=not untold.number and held.exists(),
        action_label=gettext("Print the list"),
        url=reverse("telephony:voice_user_print", args=[organization.slug]),
    )


def _with_next(steps: Sequence[VoiceStep]) -> list[VoiceStep]:
    first = next((step for step in steps if not step.done), None)
    return [replace(step, is_next=step is first) for step in steps]
