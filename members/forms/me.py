from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.fields import AddressField, PersonNameField
from members.forms.passwords import NewPasswordField, PresentPasswordField, check_new_password, tell_shortest
from members.models import User


class ProfileForm(forms.Form):
    """A person's names, and the language of their pages and letters."""

    first_name = PersonNameField(
        label=_("First name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = PersonNameField(
        label=_("Last name"), required=False, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    language = forms.ChoiceField(label=_("Language"), required=False, help_text=_("Of your pages and letters."))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen_for_them = _("As the organization") if person.owner else _("As the browser")
        [_nothing, *languages] = User._meta.get_field("language").flatchoices
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = [("", chosen_for_them), *languages]


class AddressForm(forms.Form):
    """Another e-mail address, by somebody who knows the password."""

    prefix = "address"

    email = AddressField(
        label=_("New e-mail address"),
        help_text=_("A letter to it asks you to confirm it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = PresentPasswordField(label=_("Your present password"))


class PasswordForm(forms.Form):
    """Another password, by somebody who knows the present one."""

    prefix = "password"

    password = PresentPasswordField(label=_("Your present password"))
    new_password = NewPasswordField(label=_("New password"))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        tell_shortest(self.fields["new_password"], person)

    def clean(self) -> None:
        company = self.person.owner.name if self.person.owner else ""
        check_new_password(self, "new_password", self.person, company=company)
