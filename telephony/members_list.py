"""What licenses and phone numbers add to the list of members: columns, which are in its file, and filters."""

from collections.abc import Mapping, Sequence

from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member, Organization
from members.models.people import MemberQuerySet
from members.registry import MembersColumn, MembersFilter, registry
from telephony.models import LicenseAssignment, NumberAssignment, Product
from telephony.phone_numbers import shown_number
from telephony.selectors.licenses import owned_on_page, shows_voice

ASLEEP = "asleep"
NUMBER_CHOICES = [("yes", _("With a phone number")), ("no", _("Without a phone number"))]


def register() -> None:
    """Called once at start-up."""
    registry.add(
        MembersColumn(key="licenses", label=_("Licenses"), order=60, values=_licenses, shown=False),
        MembersColumn(
            key="number",
            label=_("Phone number"),
            order=70,
            values=_numbers,
            show=lambda organization, digits: shown_number(f"+{digits}"),
            css_class="nowrap",
            shown=False,
        ),
        MembersFilter(
            key="license",
            label=_("License"),
            every=_("Any license or none"),
            order=70,
            choices=license_choices,
            apply=with_license,
        ),
        MembersFilter(
            key="number",
            label=_("Phone number"),
            every=_("With a number or without"),
            order=80,
            choices=lambda organization: NUMBER_CHOICES if shows_voice(organization) else [],
            apply=with_number,
        ),
    )


def license_choices(organization: Organization) -> list[tuple[str, str]]:
    """The products of which seats are owned, and once more those of which some sleep."""
    owned = owned_on_page(organization)
    codes = dict.fromkeys(seats.code for seats in owned)
    sleeping = {seats.code for seats in owned if seats.asleep}
    names = {code: Product(code=code).name for code in codes}
    return [(code, gettext("Has {product}").format(product=names[code])) for code in codes] + [
        (f"{code}.{ASLEEP}", gettext("Has {product}, asleep").format(product=names[code]))
        for code in codes
        if code in sleeping
    ]


def with_license(members: MemberQuerySet, choice: str) -> MemberQuerySet:
    """Those who have a seat of a product that they can use, or by "code.asleep" one that sleeps."""
    code, _dot, asleep = choice.partition(".")
    return members.filter(
        seats__organization=F("organization"),
        seats__product=Product.objects.filter(code=code).values("pk")[:1],
        seats__ended_at=None,
        seats__license__asleep_since__isnull=not asleep,
    )


def with_number(members: MemberQuerySet, choice: str) -> MemberQuerySet:
    """Those who have a phone number now, or by "no" those who have none."""
    if choice == "yes":
        return members.filter(
            number_assignments__organization=F("organization"), number_assignments__until__isnull=True
        )
    return members.filter(~Exists(NumberAssignment.objects.filter(member=OuterRef("pk"), until=None)))


def _licenses(organization: Organization, members: Sequence[Member]) -> Mapping[int, str]:
    seats = LicenseAssignment.objects.filter(organization=organization, member__in=members).awake()
    found: dict[int, list[str]] = {}
    names: dict[str, str] = {}
    for member, code in seats.order_by("product__order").values_list("member_id", "product__code"):
        found.setdefault(member, []).append(names.setdefault(code, Product(code=code).name))
    return {member: ", ".join(products) for member, products in found.items()}


def _numbers(organization: Organization, members: Sequence[Member]) -> Mapping[int, str]:
    assigned = NumberAssignment.objects.filter(organization=organization, member__in=members, until=None)
    # Digits alone: a spreadsheet would take one with its plus for a sum.
    return {member: number.removeprefix("+") for member, number in assigned.values_list("member_id", "number__number")}
