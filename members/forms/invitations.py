import re
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from members.addresses import split_addresses
from members.forms.imports import LARGEST_FILE
from members.models import Department, Organization

MOST_AT_ONCE = 500


class InvitePersonalForm(forms.Form):
    """People with accounts of their own, by address or by Skype Name, in any order."""

    people = forms.CharField(
        label=_("E-mail addresses or Skype Names"),
        max_length=100_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("One a line, or with commas between them."),
    )
    department = forms.ModelChoiceField(
        label=_("Department"), queryset=Department.objects.none(), required=False, empty_label=_("None")
    )

    # Made when the page is shown, so that a double click invites once.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        department = self.fields["department"]
        assert isinstance(department, forms.ModelChoiceField)
        department.queryset = organization.departments.order_by("sort_key")

    def clean_people(self) -> list[str]:
        entries: list[str] = []
        for mailbox in split_addresses(self.cleaned_data["people"]):
            # What is no address may be Skype Names, with nothing but spaces between them.
            entries += [mailbox.address] if mailbox.address else re.split(r"\s+", mailbox.raw)
        if not entries:
            raise forms.ValidationError(self.fields["people"].error_messages["required"], code="required")
        if len(entries) > MOST_AT_ONCE:
            raise forms.ValidationError(
                _("At most %(limit)d people can be invited at once."), params={"limit": MOST_AT_ONCE}
            )
        return entries


class AddressesForm(forms.Form):
    """Which address takes the place of which: a file, or pasted lines. ``key`` names what is sent, once."""

    file = forms.FileField(
        label=_("Choose a CSV file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values"}),
        help_text=_("One column holds the old addresses, one the new ones. Call them Old address and New address."),
    )
    lines = forms.CharField(
        label=_("Or paste addresses"),
        required=False,
        max_length=2_000_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One invitation a line: the old address, a comma, the new address."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("file", "lines"):
            self.fields[name].one_of_several = True  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is not None and file.size > LARGEST_FILE:
            raise forms.ValidationError(
                _("The file is larger than %(size)d MB. Split it and take it in in parts.")
                % {"size": LARGEST_FILE // 1024 // 1024}
            )
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        if data["file"] and data["lines"].strip():
            raise forms.ValidationError(_("Paste addresses or choose a file, not both at once."))
        if not data["file"] and not data["lines"].strip():
            self.add_error("file", _("Choose a file, or paste addresses."))
        return data

    def asked(self) -> dict[str, Any]:
        """What was sent, as the service takes it."""
        file, key = self.cleaned_data["file"], self.cleaned_data["key"]
        if file:
            return {"content": file.file, "file_name": file.name or "", "key": key}
        # It is text already; nothing is left to be told by its look.
        lines = self.cleaned_data["lines"].encode("utf-8", "replace")
        return {"content": lines, "file_name": "", "key": key, "encoding": "utf-8-sig"}
