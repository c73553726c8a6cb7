from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from members.forms.fields import DepartmentNameField
from members.forms.members import DepartmentField
from members.models import Department


class DepartmentForm(forms.Form):
    """A department's name and place."""

    name = DepartmentNameField(label=_("Name"))
    parent = DepartmentField(label=_("Part of"))

    def __init__(self, *args: Any, departments: Sequence[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["parent"]
        assert isinstance(field, DepartmentField)
        field.offer(departments, nowhere=_("Nothing: it stands at the top"))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        # A path is written with slashes.
        if "/" in name:
            raise ValidationError(_("A name can’t hold a slash. Choose what it is part of below."))
        return name


class DeleteDepartmentForm(forms.Form):
    """Where the people of a department go."""

    successor = DepartmentField(label=_("Its people go to"))

    def __init__(self, *args: Any, departments: Sequence[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        assert isinstance(field, DepartmentField)
        field.offer(departments, nowhere=_("No department"))
