from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.forms.fields import CompanyNameField
from members.models.organizations import LANGUAGES
from members.places import time_zone_choices


class ClosingForm(forms.Form):
    """What has to be agreed to before an organization closes: each of ``consequences``, and its name typed."""

    name = forms.CharField(
        label=_("Name of the company"), max_length=400, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, consequences: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, text in enumerate(consequences):
            self.fields[f"agreed_{number}"] = forms.BooleanField(
                label=text, error_messages={"required": _("Tick this to go on.")}
            )

    @property
    def agreements(self) -> list[forms.BoundField]:
        """The boxes, in the order of the consequences."""
        return [field for field in self if field.name != "name"]


class OrganizationSettingsForm(forms.Form):
    """What an organization may change about itself."""

    name = CompanyNameField(label=_("Company name"), widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("Days and months begin here. Another time zone counts for months from the next one on."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=LANGUAGES,
        help_text=_("Of letters, and of the pages of everybody who has not chosen one. Names sort as it sorts."),
    )
    allow_personal_accounts = forms.BooleanField(
        label=_("People may be invited with an account of their own"),
        required=False,
        help_text=_("Turned off, those who are members with a personal account stay."),
    )
    show_colleagues = forms.BooleanField(
        label=_("Members see who else is a member"),
        required=False,
        help_text=_("Names, Skype Names, job titles and departments of everybody who has joined. No addresses."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = time_zone_choices(get_language() or "en")
