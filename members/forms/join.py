from typing import Any

from django import forms
from django.utils.text import format_lazy
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


def call_detail_field(organization: Organization) -> forms.BooleanField:
    """Whether administrators may see whom a personal member calls: never ticked beforehand."""
    return forms.BooleanField(
        label=format_lazy(
            _("Administrators of {name} may see whom I call, when and for how long"), name=organization.name
        ),
        required=False,
        help_text=_("You need not agree, and can take it back on your page at any time."),
    )


class JoinWithOwnAccountForm(forms.Form):
    """What a personal account that joins decides."""

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["call_detail"] = call_detail_field(organization)


class NewAccountForm(JoinForm):
    """A personal account made at the link of an invitation."""

    skype_name = SkypeNameField(
        label=_("Skype Name"), help_text=_("This is how you sign in. It stays the same for good.")
    )
    field_order = ("skype_name", "first_name", "last_name", "password", "call_detail")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, organization=organization, **kwargs)
        self.fields["call_detail"] = call_detail_field(organization)
