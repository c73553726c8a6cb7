"""Fields whose rules are the product's own; each checks shape with the same words as files and commands."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from members import addresses, names
from skypemgr.characters import trim
from skypemgr.problems import Problem


class CheckedField(forms.CharField):
    """Text that one check of ours judges, also when it is far too long or no text at all."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def clean(self, value: Any) -> str:
        text = trim(self.to_python(value) or "")
        if not text:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return ""
        try:
            return self.check(text)
        except Problem as problem:
            raise ValidationError(str(problem), code=problem.code) from None

    def check(self, text: str) -> str:
        """``text`` as it is stored. Raises Problem."""
        raise NotImplementedError


class LabelField(forms.CharField):
    """What somebody calls a thing of theirs, in one line of 60 characters at most."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}), **kwargs)

    def clean(self, value: Any) -> str:
        label = " ".join("".join(c if c.isprintable() else " " for c in super().clean(value)).split())
        if not label:
            raise ValidationError(self.error_messages["required"], code="required")
        return label


class AddressField(CheckedField):
    """One e-mail address, normalized as it is stored."""

    widget = forms.EmailInput

    def check(self, text: str) -> str:
        return addresses.normalize_address(text)


class SkypeNameField(CheckedField):
    """A Skype Name of the right shape; whether it is free is for a service to say."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "skype-name", "autocapitalize": "none"}))
        super().__init__(**kwargs)

    def check(self, text: str) -> str:
        return names.check_skype_name(text)


class PersonNameField(CheckedField):
    """A name of a person: visible characters, no links, NFC."""

    def check(self, text: str) -> str:
        return names.check_person_name(text)


class JobTitleField(CheckedField):
    """What somebody does in their organization."""

    def check(self, text: str) -> str:
        return names.check_job_title(text)


class CompanyNameField(CheckedField):
    """The name of a company."""

    def check(self, text: str) -> str:
        return names.check_company_name(text)


class DepartmentNameField(CheckedField):
    """One name of a path of departments."""

    def check(self, text: str) -> str:
        # A path is written with slashes.
        if "/" in text:
            raise ValidationError(_("A name can’t hold a slash. Choose what it is part of below."))
        return names.check_department_name(text)


class SlugField(CheckedField):
    """The name of an organization in URLs; whether it is free is for a service to say."""

    def check(self, text: str) -> str:
        return names.check_slug(text)
