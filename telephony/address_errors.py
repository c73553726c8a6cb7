from django.utils.translation import gettext_lazy as _

from members.errors import Refusal
from members.places import country_name


class NoSuchAddress(Refusal):
    text = _("There is no emergency address “{name}”.")
    field = "emergency_address"


class AddressNameTaken(Refusal):
    text = _("“{name}” is already used.")
    field = "name"


class NotValidated(Refusal):
    text = _("This is not what was validated. Validate it, then save.")


class AddressChangedMeanwhile(Refusal):
    text = _("Somebody else changed this address in the meantime. Look at it as it is now, then change it again.")


class CountryStays(Refusal):
    text = _("An address stays in its country. Add another address instead.")
    field = "country"


class AddressInUse(Refusal):
    """``number`` says how many numbers and people use it; the page of the address lists them."""

    text = _("“{name}” is used by {number} numbers or people, so it stays. Give them another address first.")
    number: int


class PlaceInUse(Refusal):
    text = _("“{name}” is used by {number} people, so it stays. Give them another place first.")
    number: int


class NoSuchPlace(Refusal):
    text = _("There is no place “{name}” at this address.")
    field = "place"


class PlaceNameTaken(Refusal):
    text = _("“{name}” is already used.")
    field = "name"


class NotOverruled(Refusal):
    text = _("This address can’t be accepted: nobody would be found there.")


class DisclaimerMissing(Refusal):
    """Nobody of the organization has accepted what counts for ``country``."""

    text = _("Accept first what using numbers and emergency addresses of {country} means.")
    country: str

    def __str__(self) -> str:
        return str(self.text).format(country=country_name(self.country))


class NoDisclaimer(Refusal):
    text = _("There is nothing to accept for {country}.")
    field = "country"


class DisclaimerReplaced(Refusal):
    text = _("There is a newer text. Read it, then accept it.")


class NothingInFile(Refusal):
    text = _("There is no address in this file.")
    field = "file"
