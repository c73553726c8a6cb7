"""What the pages of this app put where pages meet: the sidebar, the member page, the tabs of operators."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.access import Capability
from members.models import Member, User
from members.registry import (
    ApiScope,
    BulkAction,
    DepartmentAction,
    HandOverPart,
    MemberTab,
    NavigationEntry,
    OperatorPage,
    PersonalDataPart,
    PersonalPanel,
    Text,
    VisibleFact,
    registry,
)
from telephony.models import LicenseAssignment
from telephony.own_features import licenses_of, render_own_features
from telephony.personal_data import calls_of, phone_of
from telephony.phone_numbers import shown_number
from telephony.selectors.acknowledgments import told_place
from telephony.selectors.assignments import open_assignments
from telephony.selectors.licenses import shows_voice
from telephony.views.my_phone import render_own_phone


def register() -> None:
    """Called once at start-up."""
    registry.add(
        NavigationEntry(
            key="features",
            label=_("Features"),
            icon="licenses",
            url_name="telephony:features",
            capability=Capability.MANAGE_VOICE,
            order=35,
            children=[
                ("features", _("Features"), "telephony:features", Capability.MANAGE_VOICE),
                ("buy", _("Buy licenses"), "telephony:buy_licenses", Capability.MANAGE_VOICE),
            ],
        ),
        MemberTab(
            key="features",
            label=_("Features"),
            url_name="telephony:member_features",
            capability=Capability.MANAGE_VOICE,
            order=30,
        ),
        MemberTab(
            key="phone",
            label=_("Phone"),
            url_name="telephony:member_phone",
            capability=Capability.MANAGE_VOICE,
            order=40,
            visible=shows_voice,
        ),
        NavigationEntry(
            key="voice",
            label=_("Voice"),
            icon="voice",
            url_name="telephony:voice",
            capability=Capability.MANAGE_VOICE,
            order=40,
            visible=shows_voice,
            children=[
                ("overview", _("Steps"), "telephony:voice", Capability.MANAGE_VOICE),
                ("numbers", _("Phone numbers"), "telephony:number_list", Capability.MANAGE_VOICE),
                ("users", _("Voice users"), "telephony:voice_user_list", Capability.MANAGE_VOICE),
                (
                    "emergency_addresses",
                    _("Emergency addresses"),
                    "emergency:address_list",
                    Capability.MANAGE_VOICE,
                ),
                ("porting", _("Porting"), "porting:order_list", Capability.MANAGE_VOICE),
                ("readiness", _("Emergency readiness"), "telephony:readiness", Capability.MANAGE_VOICE),
            ],
        ),
        NavigationEntry(
            key="calls",
            label=_("Calls"),
            icon="swap",
            url_name="telephony:call_imports",
            capability=Capability.MANAGE_VOICE,
            order=45,
            children=[
                ("imports", _("Import calls"), "telephony:call_imports", Capability.MANAGE_VOICE),
                ("unassigned", _("Calls of nobody"), "telephony:unassigned_calls", Capability.MANAGE_VOICE),
                ("unrated", _("Calls without a rate"), "telephony:unrated_calls", Capability.MANAGE_VOICE),
                ("rerate", _("Rate calls again"), "telephony:rerate_calls", Capability.MANAGE_VOICE),
            ],
        ),
        HandOverPart(key="voice", order=20, list=_handed_over),
        BulkAction(
            key="assign_license",
            label=_("Assign a license"),
            url_name="telephony:members_assign",
            capability=Capability.MANAGE_VOICE,
            order=30,
        ),
        BulkAction(
            key="unassign_license",
            label=_("Take a license away"),
            url_name="telephony:members_unassign",
            capability=Capability.MANAGE_VOICE,
            order=40,
        ),
        DepartmentAction(
            key="assign_license",
            label=_("Assign a license"),
            icon="licenses",
            url_name="telephony:members_assign",
            capability=Capability.MANAGE_VOICE,
            order=20,
        ),
        PersonalPanel(key="features", order=20, render=render_own_features),
        PersonalDataPart(key="licenses", order=20, collect=licenses_of),
        VisibleFact(
            key="licenses",
            text=_("The licenses and the phone number that you have."),
            capability=Capability.VIEW_MEMBERS,
            order=35,
        ),
        OperatorPage(key="prices", label=_("Prices"), url_name="telephony_ops:price_list", order=45),
        OperatorPage(key="rates", label=_("Rates"), url_name="telephony_ops:rate_deck_list", order=47),
        OperatorPage(key="stock", label=_("Numbers"), url_name="telephony_ops:stock", order=50),
        OperatorPage(key="porting", label=_("Porting"), url_name="porting_ops:order_list", order=55),
        OperatorPage(
            key="disclaimers", label=_("Emergency calling"), url_name="emergency_ops:disclaimer_list", order=60
        ),
        ApiScope(key="calls:write", label=_("Send calls"), capability=Capability.MANAGE_VOICE, order=20),
        PersonalPanel(key="phone", order=20, render=render_own_phone),
        PersonalDataPart(key="phone", order=20, collect=phone_of),
        PersonalDataPart(key="calls", order=30, collect=calls_of),
        HandOverPart(key="phone", order=20, list=_handed_over),
        VisibleFact(
            key="phone",
            text=_("Your phone number, where you are found by it, and whether you have read how emergency calls work."),
            capability=Capability.MANAGE_VOICE,
            order=50,
            kind=User.Kind.BUSINESS,
        ),
    )


def _handed_over(member: Member) -> list[tuple[Text, str]]:
    """The number with where its holder is found, and the licenses; nothing of what there is none of."""
    found: list[tuple[Text, str]] = []
    for assignment in open_assignments(member.organization, [member]):
        place = ", ".join(filter(None, (assignment.emergency_address.name, told_place(assignment.place))))
        where = gettext("{address}: to be confirmed again").format(address=place)
        found += [(_("Phone number"), shown_number(assignment.number.number)), (_("Emergency address"), where)]
    seats = LicenseAssignment.objects.filter(organization=member.organization_id, member=member).open()
    names = [seat.product.name for seat in seats.select_related("product").order_by("product__order", "pk")]
    return [*found, (_("Licenses"), ", ".join(names))] if names else found
