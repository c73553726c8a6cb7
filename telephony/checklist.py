"""The next steps of a new organization that this app knows (000-15)."""

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from members.access import Capability
from members.models import Organization
from members.registry import ChecklistItem, registry
from skypemgr.templatetags.look import count
from telephony.models import LicenseAssignment, NumberAssignment
from telephony.selectors.licenses import count_seats, shows_voice


def register() -> None:
    """Called once at start-up."""
    registry.add(
        ChecklistItem(
            key="assign_licenses",
            label=_("Assign features"),
            action_label=_("Open Features"),
            url=lambda organization: reverse("telephony:features", args=[organization.slug]),
            capability=Capability.MANAGE_VOICE,
            order=50,
            state=_assigned,
        ),
        ChecklistItem(
            key="set_up_voice",
            label=_("Give people phone numbers"),
            action_label=_("Open Voice"),
            url=lambda organization: reverse("telephony:voice", args=[organization.slug]),
            capability=Capability.MANAGE_VOICE,
            order=60,
            state=_numbered,
            visible=shows_voice,
        ),
    )


def _assigned(organization: Organization) -> tuple[bool, str]:
    if LicenseAssignment.objects.filter(organization=organization).open().exists():
        return True, ""
    if free := sum(seats.free for seats in count_seats(organization).values()):
        text = ngettext("{number} seat is bought, and nobody has it", "{number} seats are bought, and free", free)
        return False, text.format(number=count(free))
    return False, gettext("Skype Premium, Phone System and more, bought from the wallet")


def _numbered(organization: Organization) -> tuple[bool, str]:
    if NumberAssignment.objects.filter(organization=organization, until=None).exists():
        return True, ""
    return False, gettext("Each with an emergency address")
