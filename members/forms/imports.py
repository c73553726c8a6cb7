from itertools import islice
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from members.addresses import Mailbox, each_address
from members.models import User

LARGEST_FILE = 32 * 1024 * 1024
# What is pasted is read before the answer; longer lists come as files.
MOST_PASTED = 5_000


class AddMembersForm(forms.Form):
    """People to be added: addresses in any usual form, or a file."""

    addresses = forms.CharField(
        label=_("Enter e-mail addresses"),
        required=False,
        max_length=2_000_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One per line, or separated by commas or semicolons. A list copied from a mail program is fine."),
    )
    file = forms.FileField(
        label=_("Choose a CSV file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values"}),
        help_text=_("From your company’s directory. One column must hold e-mail addresses."),
    )
    # Made when the page is shown, so that a double click adds once.
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("addresses", "file"):
            self.fields[name].one_of_several = True  # type: ignore[attr-defined]

    def clean_addresses(self) -> list[Mailbox]:
        text: str = self.cleaned_data["addresses"]
        # One by one, and no further than to the first too many: a page of nonsense is cheap, too.
        people = list(islice(each_address(text), MOST_PASTED + 1)) if text.count("@") <= MOST_PASTED else None
        if people is None or len(people) > MOST_PASTED:
            raise ValidationError(
                _("At most %(limit)d addresses can be entered at once. Put longer lists into a CSV file."),
                params={"limit": MOST_PASTED},
                code="too_many_addresses",
            )
        return people

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is not None and file.size > LARGEST_FILE:
            raise ValidationError(
                _("The file is larger than %(size)d MB. Split it and take it in in parts.")
                % {"size": LARGEST_FILE // 1024 // 1024}
            )
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        people, file = data.get("addresses"), data.get("file")
        if people and file:
            raise ValidationError(_("Enter addresses or choose a file, not both at once."))
        if not people and not file:
            self.add_error("addresses", _("Enter at least one e-mail address, or choose a file."))
        return data


class ImportRowForm(forms.Form):
    """A row under review. What its values mean is checked with the row, in the same words as the file's."""

    email = forms.CharField(label=_("E-mail"), required=False, max_length=500, strip=False)
    skype_name = forms.CharField(
        label=_("Skype Name"),
        required=False,
        max_length=500,
        strip=False,
        widget=forms.TextInput(attrs={"class": "skype-name", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("6–32 characters. It never changes. Leave it empty for a proposal."),
    )
    first_name = forms.CharField(label=_("First name"), required=False, max_length=1_000, strip=False)
    last_name = forms.CharField(label=_("Last name"), required=False, max_length=1_000, strip=False)
    job_title = forms.CharField(label=_("Job title"), required=False, max_length=1_000, strip=False)
    department = forms.CharField(
        label=_("Department"),
        required=False,
        max_length=1_000,
        strip=False,
        help_text=_("A department that doesn’t exist is made. Write Sales / North for one inside another."),
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=User._meta.get_field("language").flatchoices
    )
    password = forms.CharField(
        label=_("First password"),
        required=False,
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Only if you want to set one. The member must choose their own before anything else works."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if password := data.get("password"):
            person = User(**{name: data.get(name, "") for name in ("skype_name", "email", "first_name", "last_name")})
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return {name: value for name, value in data.items() if name in self.data}
