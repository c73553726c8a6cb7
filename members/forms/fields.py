"""Fields whose rules are the product's own; each checks shape with the same words as files and commands."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from members import addresses, names


class AddressField(forms.CharField):
    """One e-mail address, normalized as it is stored."""

    widget = forms.EmailInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 320)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return addresses.normalize_address(text)
        except addresses.AddressProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None


class SkypeNameField(forms.CharField):
    """A Skype Name of the right shape; whether it is free is for a service to say."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 32)
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "skype-name", "autocapitalize": "none"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return names.check_skype_name(text)
        except names.NameProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None


class PersonNameField(forms.CharField):
    """A name of a person or of something people named: visible characters, no links, NFC."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 100)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return names.check_person_name(text, max_length=self.max_length or 100)
        except names.NameProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None
