"""What the pages of bulk actions say: above, what will happen, on the button, and afterwards."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from members.bulk import Reach
from members.registry import Text
from skypemgr.templatetags.look import count

UNTOUCHED = {
    "there": ngettext_lazy("{number} is there already.", "{number} are there already."),
    "blocked": ngettext_lazy("{number} is blocked already.", "{number} are blocked already."),
    "invited": ngettext_lazy("{number} has not joined yet.", "{number} have not joined yet."),
    "answered": ngettext_lazy("{number} was answered or taken back.", "{number} were answered or taken back."),
    "joined": ngettext_lazy("{number} has joined already.", "{number} have joined already."),
    "left": ngettext_lazy("{number} has left.", "{number} have left."),
    "above": ngettext_lazy(
        "{number} has a role that is above yours.",
        "{number} have a role that is above yours.",
    ),
    "self": ngettext_lazy("{number} is you.", "{number} are you."),
}


@dataclass(frozen=True)
class Words:
    """What a bulk action's page says: above, what will happen, on its button, and afterwards."""

    heading: Text
    will: Any
    button: Any
    done: Any

    def forecast(self, reach: Reach) -> list[str]:
        """Sentence by sentence: "3 of 5 people will be moved." "2 are there already." """
        first = (self.will % reach.chosen).format(changed=count(reach.changed), chosen=count(reach.chosen))
        return [first] + [
            (UNTOUCHED[reason] % number).format(number=count(number)) for reason, number in reach.untouched
        ]

    def label(self, reach: Reach) -> str:
        return (self.button % reach.changed).format(number=count(reach.changed))

    def report(self, number: int, **facts: str) -> str:
        return (self.done % number).format(number=count(number), **facts)


MOVE = Words(
    heading=_("Move to another department"),
    will=ngettext_lazy("{changed} of {chosen} person will be moved.", "{changed} of {chosen} people will be moved."),
    button=ngettext_lazy("Move {number} person", "Move {number} people"),
    done=ngettext_lazy("{number} person moved to {department}.", "{number} people moved to {department}."),
)
BLOCK = Words(
    heading=_("Block sign-in"),
    will=ngettext_lazy(
        "{changed} of {chosen} person will be blocked.", "{changed} of {chosen} people will be blocked."
    ),
    button=ngettext_lazy("Block {number} person", "Block {number} people"),
    done=ngettext_lazy("{number} person blocked.", "{number} people blocked."),
)
RESEND = Words(
    heading=_("Send invitations again"),
    will=ngettext_lazy(
        "{changed} of {chosen} person will get a new letter.", "{changed} of {chosen} people will get a new letter."
    ),
    button=ngettext_lazy("Send {number} invitation", "Send {number} invitations"),
    done=ngettext_lazy("{number} invitation is on its way.", "{number} invitations are on their way."),
)
