from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
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


class DeleteDepartmentForm(forms.Form):
    """Where the people of a department go."""

    successor = DepartmentField(label=_("Its people go to"))

    def __init__(self, *args: Any, departments: Sequence[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        assert isinstance(field, DepartmentField)
        field.offer(departments, nowhere=_("No department"))


class MergeDepartmentForm(forms.Form):
    """Into which department another is merged."""

    told_at: ClassVar[dict[str, str]] = {"parent": "into"}

    into = DepartmentField(label=_("Becomes part of"))

    def __init__(self, *args: Any, departments: Sequence[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["into"]
        assert isinstance(field, DepartmentField)
        field.offer(departments, ask=_("Choose a department"))
