from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.fields import AddressField, JobTitleField, PersonNameField
from members.models import Member, User


class HandOverForm(forms.Form):
    """Who gets a business account. What somebody does there is often what the one before did."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    email = AddressField(
        label=_("E-mail address"),
        help_text=_("The invitation goes there."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    first_name = PersonNameField(label=_("First name"), required=False)
    last_name = PersonNameField(label=_("Last name"), required=False)
    job_title = JobTitleField(label=_("Job title"), required=False)
    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("Of their pages and letters. They can choose another.")
    )

    def __init__(self, data: Any, *, member: Member) -> None:
        super().__init__(data, initial={"job_title": member.job_title})
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = User._meta.get_field("language").flatchoices
