from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.fields import PersonNameField
from members.forms.passwords import NewPasswordField, PresentPasswordField, check_new_password, tell_shortest
from members.models import User


class SignInForm(forms.Form):
    """Who somebody says they are, and the proof. ``next`` is where they wanted to go."""

    login = forms.CharField(
        label=_("Skype Name or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = PresentPasswordField(label=_("Password"))
    stay = forms.BooleanField(
        label=_("Stay signed in when I close this browser"),
        required=False,
        help_text=_("For a day at most, and while you use it. Not for a device that others use too."),
    )
    next = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)


class RequestResetForm(forms.Form):
    """The account that forgot its password."""

    login = forms.CharField(
        label=_("Skype Name or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class ResetPasswordForm(forms.Form):
    """The password somebody chooses instead of the one they forgot."""

    password = NewPasswordField(label=_("New password"))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        tell_shortest(self.fields["password"], person)

    def clean(self) -> None:
        check_new_password(self, "password", self.person, company=self.person.owner.name if self.person.owner else "")


class FirstPasswordForm(ResetPasswordForm):
    """The profile of somebody whose first password an administrator had set, and a password of their own."""

    first_name = PersonNameField(
        label=_("First name"), widget=forms.TextInput(attrs={"autocomplete": "given-name"}), required=True
    )
    last_name = PersonNameField(
        label=_("Last name"), widget=forms.TextInput(attrs={"autocomplete": "family-name"}), required=False
    )
    field_order = ("first_name", "last_name", "password")
