"""The next steps of a new organization that this app knows."""

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from members.access import Capability
from members.gateways.mail import keeps_letters
from members.models import Member, Organization
from members.registry import ChecklistItem, registry
from members.tallies import present, tally


def _address_confirmed(organization: Organization) -> tuple[bool, str]:
    if organization.letters_released_at:
        return True, ""
    if keeps_letters():
        return False, gettext("No letter leaves before. This machine keeps its letters in the outbox.")
    return False, gettext("No letter leaves before. The link is in the letter we sent you.")


def _members_added(organization: Organization) -> tuple[bool, str]:
    counts = tally(organization, "state", present())
    everyone, invited = sum(counts.values()), counts.get(Member.State.INVITED, 0)
    # The founder alone is nobody added yet.
    if everyone < 2:
        return False, gettext("By e-mail address, or from your directory")
    note = ngettext("%(count)d person", "%(count)d people", everyone) % {"count": everyone}
    if invited:
        note += ", " + ngettext("%(count)d not joined yet", "%(count)d not joined yet", invited) % {"count": invited}
    return True, note


def _second_factor_required(organization: Organization) -> tuple[bool, str]:
    if organization.require_second_factor:
        return True, ""
    return False, gettext("A stolen password alone then opens nothing")


def register() -> None:
    """Called once at start-up."""
    registry.add(
        ChecklistItem(
            key="confirm_address",
            label=_("Confirm your e-mail address"),
            action_label=_("Open the outbox") if keeps_letters() else _("Send it again"),
            url=lambda organization: reverse("outbox") if keeps_letters() else reverse("me:settings"),
            capability=Capability.OPEN_CONSOLE,
            order=10,
            state=_address_confirmed,
        ),
        ChecklistItem(
            key="add_members",
            label=_("Add members"),
            action_label=_("Add members"),
            url=lambda organization: reverse("members:import_add", args=[organization.slug]),
            capability=Capability.MANAGE_MEMBERS,
            order=20,
            state=_members_added,
        ),
        ChecklistItem(
            key="second_factor",
            label=_("Protect the administrators"),
            action_label=_("Ask for a second factor"),
            url=lambda organization: reverse("members:second_factor_rule", args=[organization.slug]),
            capability=Capability.MANAGE_ORGANIZATION,
            order=90,
            state=_second_factor_required,
        ),
    )
