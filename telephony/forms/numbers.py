from collections.abc import Collection, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.folding import fold
from members.places import country_name
from skypemgr.characters import CONTROL, DIRECTION
from skypemgr.forms import ReasonField
from telephony.models import Disclaimer, EmergencyAddress, NumberArea
from telephony.selectors.reservations import AreaInStock
from telephony.tags import LONGEST_TAG

MOST = 200


class WhereForm(forms.Form):
    """Of which country numbers are wanted, and what for."""

    type = forms.ChoiceField(label=_("Type"), choices=NumberArea.Type.choices)
    country = forms.ChoiceField(label=_("Country"))

    def __init__(self, *args: Any, countries: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)
        named = {code: country_name(code) for code in countries}
        field.choices = sorted(named.items(), key=lambda choice: fold(named[str(choice[0])]))


class ReserveForm(forms.Form):
    """How many numbers of which place to hold. ``key`` names this form: sent again it holds nothing twice."""

    area = forms.TypedChoiceField(label=_("City"), coerce=int)
    quantity = forms.IntegerField(
        label=_("Quantity"),
        min_value=1,
        max_value=MOST,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-count width-4", "autocomplete": "off"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, areas: Sequence[AreaInStock], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {"key": uuid4(), **kwargs.get("initial", {})}})
        field = self.fields["area"]
        assert isinstance(field, forms.ChoiceField)
        named = {str(one.area.pk): _named(one) for one in areas}
        field.choices = sorted(named.items(), key=lambda choice: fold(named[str(choice[0])]))


def _named(one: AreaInStock) -> str:
    name = one.area.city or country_name(one.area.country)
    return str(_("{city} ({number} free)")).format(city=name, number=one.free)


class AcquireForm(forms.Form):
    """Which of the numbers that are held to acquire, and at which address those of each country are used.

    ``disclaimers`` are those that have yet to be accepted; ``chosen`` the countries that numbers are ticked of.
    """

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        addresses: dict[str, Sequence[EmergencyAddress]],
        needed: dict[str, bool],
        disclaimers: Sequence[Disclaimer] = (),
        chosen: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        # Beside another form, whose boxes have names of their own.
        own = {"initial": {"key": uuid4()}, "auto_id": "acquire_%s"}
        super().__init__(*args, **{**own, **kwargs})
        self.missing = [country_name(code) for code, some in addresses.items() if needed[code] and not some]
        self._addresses = {address.pk: address for some in addresses.values() for address in some}
        for country, some in addresses.items():
            if not some:
                continue
            none = [] if needed[country] and len(some) == 1 else [("", _("Choose an address"))]
            self.fields[f"address_{country}"] = forms.TypedChoiceField(
                label=_("Emergency address in {country}").format(country=country_name(country)),
                choices=[*none, *((str(one.pk), one.name) for one in some)],
                coerce=int,
                empty_value=None,
                required=needed[country],
            )

        # By its name: whoever is shown another version has not ticked that.
        self._disclaimers = {f"accept_{one.country}_{one.version}": one for one in disclaimers}
        for name, one in self._disclaimers.items():
            self.fields[name] = forms.BooleanField(
                label=_("I have read what emergency calls from these numbers can and can’t do: {country}").format(
                    country=country_name(one.country)
                ),
                required=one.country in chosen,
                error_messages={"required": _("Read the text above and tick this box. Then the numbers become yours.")},
            )

    @property
    def disclaimer_fields(self) -> list[tuple[Any, Disclaimer, str]]:
        """Each box with what it is about, and its text."""
        language = get_language() or "en"
        return [(self[name], one, one.text_in(language)) for name, one in self._disclaimers.items()]

    @property
    def read(self) -> dict[str, int]:
        """The versions that were ticked, by country."""
        ticked = [one for name, one in self._disclaimers.items() if self.cleaned_data.get(name)]
        return {one.country: one.version for one in ticked}

    @property
    def address_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("address_")]

    @property
    def addresses(self) -> list[EmergencyAddress]:
        """Those that were chosen, one for each country."""
        chosen = [value for name, value in self.cleaned_data.items() if name.startswith("address_") and value]
        return [self._addresses[key] for key in chosen]


class TagForm(forms.Form):
    tag = forms.CharField(label=_("Tag"), max_length=LONGEST_TAG, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def clean_tag(self) -> str:
        tag = " ".join(self.cleaned_data["tag"].split())
        if CONTROL.search(tag) or DIRECTION.search(tag):
            raise ValidationError(_("The tag holds a character that can’t be seen. Type it again."))
        return tag


class TagManyForm(TagForm):
    """A tag, and whether numbers get it or lose it. ``key`` names this form: sent again it does nothing twice."""

    ADD, REMOVE = "add", "remove"

    act = forms.ChoiceField(choices=[(ADD, ADD), (REMOVE, REMOVE)], widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"key": uuid4()}, **kwargs})
        self.fields["tag"].widget.attrs["list"] = "known-tags"


class ReleaseForm(forms.Form):
    reason = ReasonField(label=_("Reason"))


class QuotaForm(forms.Form):
    """How many numbers an organization may have; nothing for as many as its licenses say."""

    numbers = forms.IntegerField(
        label=_("Numbers for people"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-count width-6", "autocomplete": "off"}),
        help_text=_("Leave it empty for as many as the licenses make."),
    )
    reason = ReasonField(label=_("Reason"))

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if not reason:
            raise ValidationError(_("Say why."))
        return reason
