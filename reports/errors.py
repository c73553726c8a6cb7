"""What can be refused of reports that are saved."""

from django.utils.translation import gettext_lazy as _

from members.errors import Refusal


class TooManySaved(Refusal):
    text = _("There are {most} saved reports, and no more can be. Delete one first.")


class NobodyToSendTo(Refusal):
    text = _("Choose who gets it, 50 people at most, or let it not be sent.")
    field = "readers"
