"""What stands in the way of giving somebody a number."""

from django.utils.translation import gettext_lazy as _

from members.errors import Refusal


class WrongState(Refusal):
    text = _("{name} can’t be given a number: {state}.")
    field = "member"


class PersonalAccount(Refusal):
    """Numbers are for business accounts (domain §2.3)."""

    text = _("{name} has a personal account. Numbers are for business accounts.")
    field = "member"


class NoPhoneSystem(Refusal):
    text = _("{name} has no Phone System. Assign a license first, then a number.")
    field = "member"


class HasNumber(Refusal):
    text = _("{name} already has {number}. Change the number, or take it back first.")
    field = "member"


class WithoutNumber(Refusal):
    text = _("{name} has no number.")
    field = "member"


class NotForPeople(Refusal):
    text = _("{number} is for services, not for people.")
    field = "number"


class NumberTaken(Refusal):
    text = _("{number} is already assigned to {name}.")
    field = "number"


class NumberCoolsOff(Refusal):
    text = _("{number} was somebody’s until lately and can’t be assigned yet.")
    field = "number"


class NoAddress(Refusal):
    text = _("{number} has no emergency address. Choose the one where it will be used.")
    field = "emergency_address"


class AddressElsewhere(Refusal):
    text = _("{number} can’t be used at “{address}”: an emergency address must be in the country of the number.")
    field = "emergency_address"


class AddressOutside(Refusal):
    """The rule of a country wants the address in the area of its number."""

    text = _("{number} belongs to {city}, and “{address}” lies elsewhere. Choose an address there, or another number.")
    field = "emergency_address"


class PlaceMissing(Refusal):
    """The rule of the number's country wants a place of the address, and none was given."""

    text = _(
        "{country}: rescuers need more than the street. Choose a place at “{address}”, as a floor or a room; if none is"
        " there yet, add it to the address first."
    )
    field = "place"


class TwiceNamed(Refusal):
    text = _("{name} is named twice.")
    field = "member"


class FileOutdated(Refusal):
    text = _("What was shown of the file isn’t so any more. Nobody got a number: take the file in again.")


class NotWhatWasRead(Refusal):
    text = _("Where you are found or the text has changed in the meantime. Read it as it is now.")
