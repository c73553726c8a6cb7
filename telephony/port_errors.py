"""What stands in the way of bringing numbers along from another carrier."""

from django.utils.translation import gettext_lazy as _

from members.errors import Refusal


class NoNumbers(Refusal):
    text = _("Name the numbers to bring along, one on each line, or choose a file of them.")
    field = "numbers"


class TooManyNumbers(Refusal):
    text = _("An order holds at most {most} numbers, and these are {number}. Make several orders of them.")
    field = "numbers"


class NumbersWrong(Refusal):
    """``problems`` are sentences, one for each number that is wrong."""

    text = _("Nothing was saved: {number} of the numbers need a correction.")
    field = "numbers"
    problems: list[str]


class NumberNotPortable(Refusal):
    """It is here already, or on its way; whose it is stays their own affair."""

    text = _("{number} can’t be brought along: it is in use here already, or another order has it.")
    field = "numbers"


class LetterMissing(Refusal):
    text = _("Attach the signed letter of authorization. The carrier lets no number go without it.")
    field = "letter"


class LetterUnreadable(Refusal):
    text = _("The letter must be a PDF, PNG or JPEG file.")
    field = "letter"


class LetterTooLarge(Refusal):
    text = _("The letter is larger than {most} MB. Scan it with fewer points per inch.")
    field = "letter"


class PortAddressNeeded(Refusal):
    text = _("Numbers of this country come with an emergency address. Choose the one where they will be used.")
    field = "emergency_address"


class PortAddressElsewhere(Refusal):
    text = _("The emergency address must be in the country of the numbers.")
    field = "emergency_address"


class DayPassed(Refusal):
    text = _("Choose a day that is still to come.")
    field = "transfer_on"


class WantedDayPassed(DayPassed):
    field = "wanted_on"


class OrderMovedOn(Refusal):
    """Somebody or something was faster: what was asked for is not possible in the state that it is in now."""

    text = _("The order is at “{state}” now. That can’t be done any more.")


class ReasonNeeded(Refusal):
    text = _("Say why.")
    field = "reason"
