from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.fields import AddressField, PersonNameField
from members.models import Department, Member
from skypemgr.forms import Explained, ReasonField

NOWHERE = "none"

ROLE_TEXTS = {
    Member.Role.ADMINISTRATOR: _("Everything: members, credit, voice, settings, roles."),
    Member.Role.MEMBERS_MANAGER: _("Adds and manages people and departments."),
    Member.Role.CREDIT_MANAGER: _("Buys and allocates credit; sees reports."),
    Member.Role.VOICE_MANAGER: _("Manages licenses, numbers and emergency addresses."),
    Member.Role.REPORTS_VIEWER: _("Sees people and reports, changes nothing."),
    Member.Role.MEMBER: _("Uses the product; doesn’t open the console."),
}


class DepartmentField(forms.ChoiceField):
    """One of an organization's departments, or none. Cleans to a Department, or None for none.

    ``departments`` are those to choose from, in their order; ``nowhere`` is the text for none.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._departments: dict[str, Department] = {}

    def offer(self, departments: Sequence[Department], *, nowhere: object, ask: object = "") -> None:
        """Offer these; with ``ask`` (a text) nothing is chosen to begin with."""
        self._departments = {str(department.pk): department for department in departments}
        first = [("", ask)] if ask else []
        self.choices = [
            *first,
            (NOWHERE, nowhere),
            *((key, department.path) for key, department in self._departments.items()),
        ]

    def clean(self, value: Any) -> Any:
        return self._departments.get(super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Department):
            return str(value.pk)
        return NOWHERE if value is None else value


class ProfileForm(forms.Form):
    """What those who manage members may change of a profile. A personal account's names are its owner's."""

    first_name = PersonNameField(label=_("First name"), required=False)
    last_name = PersonNameField(label=_("Last name"), required=False)
    department = DepartmentField(label=_("Department"))

    def __init__(self, *args: Any, departments: Sequence[Department], names: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not names:
            del self.fields["first_name"], self.fields["last_name"]
        field = self.fields["department"]
        assert isinstance(field, DepartmentField)
        field.offer(departments, nowhere=_("In no department"))


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label=_("What this person may do in the console"),
        widget=forms.RadioSelect,
        choices=[(value, Explained(label, ROLE_TEXTS[Member.Role(value)])) for value, label in Member.Role.choices],
    )


class InvitedAddressForm(forms.Form):
    email = AddressField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))


class BlockForm(forms.Form):
    reason = ReasonField(label=_("Reason"), help_text=_("Stands in the audit log, for administrators."))


class MoveMembersForm(forms.Form):
    """Where chosen people go."""

    to = DepartmentField(label=_("New department"))

    def __init__(self, *args: Any, departments: Sequence[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, DepartmentField)
        field.offer(departments, nowhere=_("In no department"), ask=_("Choose a department"))
