"""What can be refused of calls."""

from django.utils.translation import gettext_lazy as _

from members.errors import Refusal


class NothingWaits(Refusal):
    text = _("No call of {account} waits for somebody.")
    field = "account"


class CodeTaken(Refusal):
    text = _("{account} is the account code of somebody else.")
    field = "account"


class UploadNotOpen(Refusal):
    text = _("This file was imported already, or is there no more.")


class Tried(Exception):
    """It was only to be tried: nothing is kept."""
