import re
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from members.addresses import split_addresses
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
