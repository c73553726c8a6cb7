from django.utils.translation import gettext_lazy as _

from members.errors import Refusal


class VoiceClosed(Refusal):
    text = _("Voice needs a license first: Enterprise E5, Phone System or Audio Conferencing.")


class NothingFree(Refusal):
    text = _("No number of {place} is free at the moment. Choose another city, or try again in some minutes.")
    field = "quantity"


class QuotaReached(Refusal):
    """``left`` says how many numbers can still be reserved or acquired."""

    text = _("You may have {allowed} numbers for people, and {taken} are owned or held. {left} more can be added.")
    field = "quantity"
    left: int


class TooManyReservations(Refusal):
    text = _("There are {most} reservations already. Acquire their numbers or let them go first.")
    field = "quantity"


class TooManyHeld(Refusal):
    text = _("{most} numbers can be held at once, and {held} are. Acquire them or let them go first.")
    field = "quantity"


class ReservationOver(Refusal):
    """The time of a reservation is over, or it has ended otherwise; nothing of it was acquired."""

    text = _("The time for the numbers of {place} is over. Nothing was acquired. Reserve numbers again.")


class NothingChosen(Refusal):
    text = _("Tick the numbers to acquire.")
    field = "number"


class NotHeld(Refusal):
    text = _("{number} is not among the numbers that are held.")
    field = "number"


class PriceInOtherCurrency(Refusal):
    text = _("{number} is charged in {currency}, and your wallet holds {own}. Leave it out.")
    field = "number"


class AddressNeeded(Refusal):
    text = _("Numbers of this country come with an emergency address. Choose the one where they will be used.")
    field = "emergency_address"


class AddressOfOtherCountry(Refusal):
    text = _("The emergency address must be in the country of the numbers.")
    field = "emergency_address"


class AddressOutsideArea(Refusal):
    text = _("These numbers belong to {city}, and “{address}” lies elsewhere. Choose an address there.")
    field = "emergency_address"


class NumberAssigned(Refusal):
    text = _("{name} has {number}. Take it back before you give it to the stock.")
    field = "number"


class TooManyNumbers(Refusal):
    text = _("At most {most} numbers get a tag at once. Tick fewer.")


class TooManyTags(Refusal):
    text = _("A number has at most {most} tags. Remove one first.")
    field = "tag"
