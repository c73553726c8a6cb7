"""The letter to whoever ordered to bring numbers along: what the carrier says, or that they are here."""

from typing import Any

from django.db import transaction

from members.access import ROLES, Capability
from members.letter_texts import absolute_url, register_composer
from members.mail import personal_letter, write_letters
from members.models import Letter, Member
from skypemgr.templatetags.look import count
from telephony.models import PortOrder

TOLD = (PortOrder.State.APPROVED, PortOrder.State.REJECTED, PortOrder.State.COMPLETED)


@transaction.atomic(savepoint=False)
def write_port_letter(order: PortOrder) -> None:
    """Tell whoever made an order how it stands, where there is something to tell."""
    member = order.made_by
    if member is None or order.state not in TOLD:
        return
    letter = personal_letter(Letter.Kind.PORT_ORDER, member.user, organization=order.organization, member=member)
    letter.facts = {"order": order.pk, "state": order.state}
    write_letters([letter])


def _port_order(letter: Letter) -> dict[str, Any] | None:
    member = letter.member
    # Only what is so still, and only to whoever may see it.
    if member is None or member.state != Member.State.ACTIVE or Capability.MANAGE_VOICE not in ROLES[member.role]:
        return None
    orders = PortOrder.objects.filter(organization=letter.organization, pk=letter.facts.get("order"))
    order = orders.select_related("organization").filter(state=letter.facts.get("state")).first()
    if order is None:
        return None
    step = order.steps.order_by("-pk").first()
    return {
        "order": order,
        "state": str(order.state),
        "number": count(order.numbers.count()),
        "reason": step.note if step is not None else "",
        "url": absolute_url("porting:order_detail", order.organization.slug, order.pk),
    }


def register() -> None:
    """Called once at start-up."""
    register_composer(Letter.Kind.PORT_ORDER, _port_order)
