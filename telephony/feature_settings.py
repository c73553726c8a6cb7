"""What people set of features they have: where calls go on to, which number is shown, a SIP profile."""

import re
from collections.abc import Mapping, Sequence

from django.db import transaction

from members.access import Actor
from members.acts import lock_members
from members.audit import Action, record
from members.models import Member, Organization
from members.tenures import present_stint
from skypemgr.clock import DatabaseClock
from skypemgr.problems import Problem
from telephony.license_errors import FeatureNotHad, NoSuchTarget, NotOurNumber, ProfileIncomplete, ProfileUnreadable
from telephony.models import FeatureSetting, PhoneNumber
from telephony.phone_numbers import read_phone_number, shown_number
from telephony.selectors.licenses import covered_by

Kind = FeatureSetting.Kind
# The product that each kind is a setting of.
PRODUCTS: Mapping[str, str] = {
    Kind.FORWARDING: "call-forwarding",
    Kind.CALLER_ID: "caller-id",
    Kind.CONNECT: "skype-connect",
}
FIELDS = ("number", "name", "username")
_USERNAME = re.compile(r"[A-Za-z0-9._+-]{1,64}")


def seats_with_settings(member: Member) -> dict[str, int]:
    """By kind of setting, the awake seat through which a member has the feature."""
    found = {}
    for kind, code in PRODUCTS.items():
        if seat := covered_by(member.organization, [member], code).get(member.pk):
            found[kind] = seat
    return found


def settings_of(member: Member, seats: Mapping[str, int]) -> dict[str, FeatureSetting]:
    """What is set now, by kind. What whoever had the account before had set is not theirs."""
    kept = FeatureSetting.objects.filter(
        present_stint(member).covers("set_at"), organization=member.organization_id, assignment__in=seats.values()
    )
    return {one.kind: one for one in kept.order_by("pk") if seats.get(one.kind) == one.assignment_id}


@transaction.atomic(savepoint=False)
def save_setting(
    *, organization: Organization, actor: Actor, member: Member, kind: str, values: Mapping[str, str]
) -> bool:
    """Save what is set of a feature, or with nothing in ``values`` set it back; whether that changed anything.

    Raises FeatureNotHad, NoSuchTarget, NotOurNumber, ProfileIncomplete, ProfileUnreadable.
    """
    lock_members(Member.objects.of(organization).filter(pk=member.pk))
    seat = seats_with_settings(member).get(kind)
    if seat is None:
        raise FeatureNotHad
    wanted = _read(kind, values)
    before = settings_of(member, {kind: seat}).get(kind)
    if wanted is not None and kind == Kind.CALLER_ID:
        _require_own(organization, wanted["number"])
    if wanted == ({field: getattr(before, field) for field in FIELDS} if before else None):
        return False
    kept = FeatureSetting.objects.filter(organization=organization, assignment=seat, kind=kind)
    if wanted is None:
        kept.delete()
    elif not kept.update(**wanted, set_at=DatabaseClock()):
        FeatureSetting.objects.create(
            organization=organization, assignment_id=seat, kind=kind, set_at=DatabaseClock(), **wanted
        )
    record(
        organization=organization,
        actor=actor,
        action=Action.FEATURE_SET,
        subject=member,
        # A number may be somebody's private one, so the log does not keep it.
        before={"product": PRODUCTS[kind]} if before else {},
        after={"product": PRODUCTS[kind]} if wanted else {},
    )
    return True


def _require_own(organization: Organization, number: str) -> None:
    """Raise NotOurNumber unless it is the organization's: nobody calls by a number that others are reached at."""
    # It stays the organization's until this is saved.
    own = PhoneNumber.objects.of(organization).filter(number=number).select_for_update(no_key=True)
    if not list(own.order_by("pk").values("pk")):
        raise NotOurNumber(number=shown_number(number), organization=organization.name)


def _read(kind: str, values: Mapping[str, str]) -> dict[str, str] | None:
    """The fields of a setting, checked; None to set it back."""
    found = {field: values.get(field, "").strip() for field in FIELDS}
    if not any(found.values()):
        return None
    if kind != Kind.CONNECT:
        try:
            number = read_phone_number(found["number"])
        except Problem as problem:
            raise NoSuchTarget(why=str(problem)) from problem
        return {"number": number, "name": "", "username": ""}
    if not (found["name"] and found["username"]):
        raise ProfileIncomplete
    if not _USERNAME.fullmatch(found["username"]):
        raise ProfileUnreadable
    return {**found, "number": ""}


def kinds_in_order(seats: Mapping[str, int]) -> Sequence[str]:
    """The kinds of settings that somebody has, in the order of their pages."""
    return [kind for kind in PRODUCTS if kind in seats]
