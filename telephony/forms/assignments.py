"""Which number people get, and where they are found."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Member
from skypemgr.forms import Explained, ReasonField
from telephony.assigning import MOST_COOLING, Pairing
from telephony.emergency import civic_of, line_of
from telephony.models import EmergencyAddress, PhoneNumber, Place
from telephony.phone_numbers import shown_number

# What services call where somebody is found.
_WHERE = ("emergency_address", "place")


def _search(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "dir": "auto"}),
    )


def _grouped(places: Sequence[Place]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Places as choices, by the name of their address."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for place in places:
        grouped.setdefault(place.address.name, []).append((str(place.pk), place.name))
    return list(grouped.items())


def _one_of(label: Any, choices: Sequence[Any]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=label, choices=choices, coerce=int, required=False, empty_value=None)


def _cooling_days() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Days of cooling off"),
        min_value=0,
        max_value=MOST_COOLING,
        initial=0,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-count width-4", "autocomplete": "off"}),
        help_text=_("So long nobody is given the number again, 365 days at most. 0: at once."),
    )


class PlacesForm(forms.Form):
    """Where somebody is found. The addresses are those that a search for ``city`` found."""

    city = _search(_("Search for a city"))
    emergency_address = forms.TypedChoiceField(
        label=_("Emergency address"), coerce=int, required=False, empty_value=None, widget=forms.RadioSelect
    )
    place = forms.TypedChoiceField(
        label=_("Place"),
        coerce=int,
        required=False,
        empty_value=None,
        help_text=_("Building, floor or room; it is told to whoever comes to help."),
    )

    told_at: dict[str, str] = {}

    def __init__(
        self,
        *args: Any,
        addresses: Sequence[EmergencyAddress],
        places: Sequence[Place],
        place_needed: bool = False,
        own: Explained | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        # None will do where the number comes with one; the service says when it doesn't.
        self.fields["emergency_address"].needed = True  # type: ignore[attr-defined]
        self.addresses = {address.pk: address for address in addresses}
        self.places = {place.pk: place for place in places}
        choices: list[tuple[str, Any]] = [("", own)] if own else []
        choices += [(str(address.pk), Explained(address.name, line_of(civic_of(address)))) for address in addresses]
        self.fields["emergency_address"].choices = choices  # type: ignore[attr-defined]
        if not places:
            del self.fields["place"]
            # Of addresses without a single place none can be chosen.
            self.told_at = {**self.told_at, "place": "emergency_address"}
            return
        self.fields["place"].needed = place_needed  # type: ignore[attr-defined]
        self.fields["place"].choices = [("", _("No place")), *_grouped(places)]  # type: ignore[attr-defined]

    @property
    def chosen_address(self) -> EmergencyAddress | None:
        """The address that was chosen."""
        return self.addresses.get(self.cleaned_data.get("emergency_address") or 0)

    @property
    def chosen_place(self) -> Place | None:
        return self.places.get(self.cleaned_data.get("place") or 0)

    def check_place(self, address: EmergencyAddress | None, place: Place | None, field: str = "place") -> bool:
        """Whether a place that was chosen is at ``address``; else it is told at a field."""
        if place is None or (address is not None and place.address_id == address.pk):
            return True
        self.add_error(field, gettext("This place is at another address. Choose one of the same address."))
        return False


class AssignForm(PlacesForm):
    """A number for each of some people. ``key`` names this form: sent again it assigns nothing twice."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    find = _search(_("Search for a number"))
    notify = forms.BooleanField(label=_("Send a letter"), required=False, initial=True)
    cooling_days = _cooling_days()

    told_at = {"member": "emergency_address", "number": "emergency_address"}

    def __init__(
        self,
        *args: Any,
        people: Sequence[Member],
        numbers: Sequence[PhoneNumber],
        changing: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = {"key": uuid4(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.people = people
        self.numbers = {number.number: number for number in numbers}
        if not changing:
            del self.fields["cooling_days"]
        named = [("", _("Choose a number")), *((number.number, _named(number)) for number in numbers)]
        for member in people:
            self.fields[number_field(people, member)] = forms.ChoiceField(
                label=_("Select the number to assign"), choices=named, widget=forms.Select(attrs={"class": "phone"})
            )
        if len(people) == 1:
            self.told_at = {**self.told_at, "member": "number", "number": "number"}
            return
        each = [("", _("As for everybody")), *((str(one.pk), one.name) for one in self.addresses.values())]
        at_each = [("", _("As for everybody")), *_grouped(list(self.places.values()))]
        for member in people:
            self.fields[f"address_{member.pk}"] = _one_of(_("Emergency address"), each)
            if self.places:
                self.fields[f"place_{member.pk}"] = _one_of(_("Place"), at_each)

    def rows(self) -> list[tuple[Member, Any, list[Any]]]:
        """Each person with their fields: the number, and where they are found where there are several people."""
        return [
            (
                member,
                self[number_field(self.people, member)],
                [self[name] for word in ("address", "place") if (name := f"{word}_{member.pk}") in self.fields],
            )
            for member in self.people
        ]

    def field_about(self, member: Member, refused: str | None) -> str:
        """Where it is told what stands in the way of one person; ``refused`` is the field of services."""
        several = len(self.people) > 1
        own = {name: f"{name.removeprefix('emergency_')}_{member.pk}" if several else name for name in _WHERE}
        found = own.get(refused or "", number_field(self.people, member))
        return found if found in self.fields else own["emergency_address"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        seen = set[str]()
        for member in self.people:
            number = cleaned.get(number_field(self.people, member))
            if number in seen:
                self.add_error(
                    number_field(self.people, member),
                    gettext("{number} is chosen twice.").format(number=shown_number(str(number))),
                )
            elif number:
                seen.add(number)
        return cleaned

    def pairings(self) -> list[Pairing]:
        """Who is to get what, of a form that is valid."""
        found = []
        for member in self.people:
            number = self.numbers[self.cleaned_data[number_field(self.people, member)]]
            own = self.addresses.get(self.cleaned_data.get(f"address_{member.pk}") or 0)
            place = self.places.get(self.cleaned_data.get(f"place_{member.pk}") or 0)
            found.append(
                Pairing(member, number, own or self.chosen_address, place or (None if own else self.chosen_place))
            )
        return found


def number_field(people: Sequence[Member], member: Member) -> str:
    """What the field is called by which a member is given a number; of one alone it is just the number."""
    return "number" if len(people) == 1 else f"number_{member.pk}"


class TakeBackForm(forms.Form):
    """For how long nobody is given the numbers that people give back."""

    cooling_days = _cooling_days()
    reason = ReasonField(label=_("Reason"))


def _named(number: PhoneNumber) -> str:
    city = number.area.city or number.area.country
    told = f"{shown_number(number.number)}, {city}"
    return told if number.emergency_address is None else f"{told} · {number.emergency_address.name}"
