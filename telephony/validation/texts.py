"""The sentences of validation. They never claim that an emergency service knows an address."""

from django.utils.translation import gettext_lazy as _

from skypemgr.problems import Texts, tell

from .address import Message

TEXTS: Texts = {
    "missing": _("This is needed."),
    "number_missing": _("The number of the house is needed here."),
    "number_absent": _("No house number is given. Add it if the building has one."),
    "number_without_digit": _("The number of a house has a digit."),
    "number_zero": _("No house has the number 0."),
    "control": _("This holds a control character (%(code_point)s). Type it again."),
    "direction": _("This holds a character that turns its direction (%(code_point)s). Type it again."),
    "damaged": _("This holds a character that could not be read (�). Type it again."),
    "unseen": _("This holds no letter and no digit."),
    "long": _("Too long: %(length)d characters, and at most %(maximum)d fit."),
    "country": _("Write the country by its two letters, as FR."),
    "po_box": _("A PO box is not dispatchable: nobody is found there. Give the street address where people are."),
    "cedex": _("CEDEX is not dispatchable: it is for letters. Give the street address where people are."),
    "military": _("A military post office (APO, FPO, DPO, BFPO) is not dispatchable. Give a street address."),
    "general_delivery": _("General delivery is not dispatchable: it is for letters. Give a street address."),
    "rural": _("A rural route names a mailbox, which rescuers may not find. Give the number and the road if you can."),
    "corner": _("This looks like a corner of two streets. Give the number of the house if you can."),
    "unit": _("“%(unit)s” is not part of a street: add it as a place, so that people are found sooner."),
    "street_type_alone": _("This is the type of a street, without its name."),
    "postal_code_shape": _("A postal code here looks like %(example)s."),
    "postal_code_elsewhere": _("The postal code %(code)s is not in %(region)s."),
    "postal_code_in": _("The postal code %(code)s is in %(there)s, not in %(region)s."),
    "postal_code_nowhere": _("No department has postal codes like %(code)s."),
    "postal_code_unknown": _("The postal code %(code)s is not known here. It may be new."),
    "region": _("“%(region)s” is no state or region of this country."),
    "region_missing": _("The state or region is needed here."),
    "city_of_code": _("The postal code %(code)s belongs to %(cities)s. What you typed stays."),
    "district": _("The postal code %(code)s is of the district %(there)d of %(city)s, and %(typed)d was typed."),
    "ordinal": _("Tip: a street named by a number takes its ending: %(street)s."),
    "kept": _("Kept as you typed it. “%(suggested)s” was suggested."),
    "coordinate": _("A latitude is from -90 to 90, a longitude from -180 to 180, as 48.8606 and 2.3376."),
    "coordinate_alone": _("Latitude and longitude go together."),
    "coordinates_swapped": _("Latitude and longitude look swapped."),
}


def tell_message(message: Message) -> str:
    """The sentence of a message in the active language."""
    return tell(TEXTS, message.code, message.facts)
