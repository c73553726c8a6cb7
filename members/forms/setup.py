from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.forms.fields import AddressField, CompanyNameField, PersonNameField, SkypeNameField, SlugField
from members.forms.passwords import NewPasswordField, PresentPasswordField, check_new_password
from members.models import User
from members.models.organizations import LANGUAGES
from members.names import propose_slug
from members.places import country_choices, currency_choices, time_zone_choices, time_zone_of
from skypemgr.forms import Explained


class CompanyForm(forms.Form):
    """Step one of set-up: the company."""

    name = CompanyNameField(label=_("Company name"), widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    slug = SlugField(
        label=_("Address of your console"),
        required=False,
        help_text=_("Letters, digits and hyphens. People will see it in links. Leave it empty to take the name."),
    )
    country = forms.ChoiceField(label=_("Country"))
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, help_text=_("Months and days begin here."))
    currency = forms.ChoiceField(
        label=_("Currency"),
        widget=forms.RadioSelect,
        help_text=_("Credit, licenses and calls are counted in it. It can’t be changed once you finish."),
    )
    language = forms.ChoiceField(
        label=_("Language for letters and new members"), choices=LANGUAGES, initial=get_language
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        self._choices("country").choices = country_choices(language)
        self._choices("currency").choices = [(code, Explained(code, name)) for code, name in currency_choices(language)]
        self._choices("time_zone").choices = [("", _("The usual one of the country")), *time_zone_choices(language)]

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("slug") and data.get("name"):
            data["slug"] = propose_slug(data["name"])
        if not data.get("time_zone") and data.get("country"):
            data["time_zone"] = time_zone_of(data["country"])
        return data


class NewFounderForm(forms.Form):
    """Step two of set-up: a new personal account for the administrator."""

    skype_name = SkypeNameField(
        label=_("Skype Name"),
        help_text=_("6–32 characters. It never changes. A name that shows what the account is for is good."),
    )
    email = AddressField(label=_("Your e-mail address"), help_text=_("A letter will ask you to confirm it."))
    first_name = PersonNameField(
        label=_("First name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = PersonNameField(
        label=_("Last name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    password = NewPasswordField()

    def __init__(self, *args: Any, company: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.company = company

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        person = User(**{name: data.get(name, "") for name in ("skype_name", "email", "first_name", "last_name")})
        check_new_password(self, "password", person, company=self.company)
        return data


class ExistingFounderForm(forms.Form):
    """Step two of set-up for somebody who has a personal account and isn't signed in."""

    login = forms.CharField(
        label=_("Skype Name or e-mail"), max_length=254, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = PresentPasswordField(label=_("Password"))


class FinishForm(forms.Form):
    """Step three of set-up: made when the page is shown, so that a double click sets up once."""

    key = forms.UUIDField(widget=forms.HiddenInput)
