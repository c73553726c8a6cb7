from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from members.errors import Refusal


class NoSuchProduct(Refusal):
    text = _("There is no product “{product}”.")
    field = "product"


class NotSold(Refusal):
    text = _("{product} can’t be bought any more.")
    field = "product"


class NoPrice(Refusal):
    text = _("{product} has no price in {currency} yet. The people who run this installation can set one.")
    field = "product"


class NotOffered(Refusal):
    """``required`` names the products of which one has to be owned first."""

    text = _("{product} is offered once you own {required}. Buy that first.")
    field = "product"


class QuantityOutOfRange(Refusal):
    text = _("Choose from 1 to {most} seats.")
    field = "quantity"


class NoSuchPeriod(Refusal):
    text = _("A license runs for 1, 3 or 12 months.")
    field = "months"


class PriceChanged(Refusal):
    text = _("The price has changed in the meantime. Look at it as it is now, then buy.")
    price: Decimal


class WalletTooSmall(Refusal):
    text = _("The wallet holds {held}, and this costs {needed}. Buy credit first.")
    field = "quantity"
    balance: Decimal
    wanted: Decimal


class LicenseHasEnded(Refusal):
    text = _("This license has ended. Buy another one.")


class MoreThanBought(Refusal):
    text = _("The license has {quantity} seats. Buy more of them as another license.")
    field = "quantity"


class SeatsAreTaken(Refusal):
    """Fewer seats are to be renewed than people have."""

    text = _("{assigned} people have a seat of this license. Take some away first, or cancel all of it.")
    field = "quantity"


class NoFreeSeat(Refusal):
    """``wanted`` seats were asked for, ``free`` there are."""

    product: str
    wanted: int
    free: int

    def __str__(self) -> str:
        told = ngettext(
            "%(wanted)d seat of %(product)s is needed, %(free)d is free. Buy more first.",
            "%(wanted)d seats of %(product)s are needed, %(free)d are free. Buy more first.",
            self.wanted,
        )
        return told % {"wanted": self.wanted, "free": self.free, "product": self.product}


class AboutPeople(Refusal):
    """A refusal because of ``people`` of those who were chosen; ``name`` is one of them."""

    several: object = ""
    people: int

    def __str__(self) -> str:
        return str(self.text if self.people == 1 else self.several).format(**self.facts)


class RequirementMissing(AboutPeople):
    text = _("{name} needs {required} before {product}. Assign that first.")
    several = _("{people} people, among them {name}, need {required} before {product}. Assign that first.")


class AlreadyIncluded(AboutPeople):
    text = _("{name} has {product} already: {by} includes it.")
    several = _("{people} people, among them {name}, have {product} already: {by} includes it.")


class OnlyBusiness(AboutPeople):
    text = _("{product} is for business accounts. {name} has a personal one.")
    several = _("{product} is for business accounts. {people} people, among them {name}, have personal ones.")


class KeptWithoutRequired(Refusal):
    """``field`` names what would stay with somebody without what it requires."""

    text = _("{product} needs {required}, which would end. End both, or leave both with the account.")


class StillNeeded(AboutPeople):
    """Other seats of theirs require the one that is to be taken away."""

    text = _("{name} has {dependents}, which requires {product}. Take that away first, or both together.")
    several = _(
        "{people} people, among them {name}, have {dependents}, which requires {product}."
        " Take that away first, or both together."
    )


class HasLeftAlready(AboutPeople):
    text = _("{name} has left, and gets no license any more.")
    several = _("{people} people, among them {name}, have left, and get no license any more.")


class FeatureNotHad(Refusal):
    text = _("This feature is not there any more. Ask for a license of it first.")


class NoSuchTarget(Refusal):
    """``why`` says what is wrong with the number."""

    text = "{why}"
    field = "number"


class NotOurNumber(Refusal):
    text = _("{number} is not a number of {organization}. Choose one of its numbers, or leave it empty.")
    field = "number"


class ProfileIncomplete(Refusal):
    text = _("A SIP profile has a name and a user. Fill in both, or leave both empty.")
    field = "name"


class ProfileUnreadable(Refusal):
    text = _("The user of a SIP profile has letters without accents, digits and . _ + - only.")
    field = "username"


class NumberNeedsIt(AboutPeople):
    """They have numbers, which nobody has without the product."""

    text = _("{name} has the number {number}, which requires {product}. Take that back first, or both together.")
    several = _(
        "{people} people, among them {name} with {number}, have numbers, which require {product}."
        " Take these back first, or all together."
    )
