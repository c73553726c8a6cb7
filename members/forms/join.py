from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.fields import PersonNameField, SkypeNameField
from members.forms.passwords import NewPasswordField, check_new_password
from members.models import Organization, User


class JoinForm(forms.Form):
    """What a new member finishes: their name, and a password."""

    first_name = PersonNameField(label=_("First name"), widget=forms.TextInput(attrs={"autocomplete": "given-name"}))
    last_name = PersonNameField(
        label=_("Last name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    password = NewPasswordField()

    def __init__(self, *args: Any, person: User, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.organization = organization

    def clean(self) -> None:
        # Judged by the names as they will be.
        person = User(
            skype_name=self.cleaned_data.get("skype_name", self.person.skype_name),
            email=self.person.email,
            first_name=self.cleaned_data.get("first_name", ""),
            last_name=self.cleaned_data.get("last_name", ""),
        )
        check_new_password(self, "password", person, company=self.organization.name)


class NewAccountForm(JoinForm):
    """A personal account made at the link of an invitation."""

    skype_name = SkypeNameField(
        label=_("Skype Name"), help_text=_("This is how you sign in. It stays the same for good.")
    )
    field_order = ("skype_name", "first_name", "last_name", "password")
