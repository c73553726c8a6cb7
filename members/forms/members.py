from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from members.departments import DepartmentToBe
from members.forms.fields import AddressField, DepartmentNameField, JobTitleField, PersonNameField
from members.models import Department, Member, User
from skypemgr.forms import Explained, ReasonField

NOWHERE, NEW = "none", "new"
_NEEDS_PROOF = _("With another address somebody else can open the account, so show first that it is you.")

ROLE_TEXTS = {
    Member.Role.ADMINISTRATOR: _("Everything: members, credit, voice, settings, roles."),
    Member.Role.MEMBERS_MANAGER: _("Adds and manages people and departments."),
    Member.Role.CREDIT_MANAGER: _("Buys and allocates credit; sees reports."),
    Member.Role.VOICE_MANAGER: _("Manages licenses, numbers and emergency addresses."),
    Member.Role.REPORTS_VIEWER: _("Sees people and reports, changes nothing."),
    Member.Role.MEMBER: _("Uses the product; doesn’t open the console."),
}


class DepartmentField(forms.ChoiceField):
    """One of an organization's departments, or none. Cleans to a Department, None for none, or NEW for a new one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._departments: dict[str, Department] = {}

    def offer(
        self, departments: Sequence[Department], *, nowhere: object = "", ask: object = "", new: object = ""
    ) -> None:
        """Offer these, in this order; ``nowhere`` and ``new`` are the texts for none and for one still to be made.

        With ``ask`` (a text) nothing is chosen to begin with.
        """
        self._departments = {str(department.pk): department for department in departments}
        self.choices = [
            *([("", ask)] if ask else []),
            *([(NOWHERE, nowhere)] if nowhere else []),
            *((key, department.path) for key, department in self._departments.items()),
            *([(NEW, new)] if new else []),
        ]

    def clean(self, value: Any) -> Any:
        chosen = super().clean(value)
        return NEW if chosen == NEW else self._departments.get(chosen)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Department):
            return str(value.pk)
        return NOWHERE if value is None else value


class NewDepartmentForm(forms.Form):
    """A form whose field ``choosing`` offers departments, and one that is made at once: a DepartmentToBe."""

    choosing = "department"
    told_at: ClassVar[dict[str, str]] = {"name": "new_name", "parent": "new_parent"}

    new_name = DepartmentNameField(label=_("Name of the new department"), required=False)
    new_parent = DepartmentField(label=_("Part of"), required=False)

    def offer(self, departments: Sequence[Department], *, ask: object = "") -> None:
        chosen, parent = self.fields[self.choosing], self.fields["new_parent"]
        assert isinstance(chosen, DepartmentField)
        assert isinstance(parent, DepartmentField)
        for field in (self.fields["new_name"], parent):
            # Whoever chose a new one has to say which.
            field.needed = True  # type: ignore[attr-defined]
        chosen.offer(departments, nowhere=_("In no department"), ask=ask, new=_("New department…"))
        parent.offer(departments, nowhere=_("Nothing: it stands at the top"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name, parent = cleaned.pop("new_name", None), cleaned.pop("new_parent", None)
        if cleaned.get(self.choosing) != NEW:
            # What is wrong with fields that nobody sees is nobody's concern.
            self.errors.pop("new_name", None)
            self.errors.pop("new_parent", None)
        elif name:
            cleaned[self.choosing] = DepartmentToBe(name, parent)
        elif name is not None:
            self.add_error("new_name", _("Enter a name."))
        return cleaned


class ProfileForm(NewDepartmentForm):
    """What those who manage members may change of a profile; names and language only of accounts of their own.

    ``address`` says whether the address is changed here too: not before somebody has joined, and nobody's own. With
    ``confirm_at``, the way to a proof of who one is, that of a business account has to stay as it is.
    """

    first_name = PersonNameField(label=_("First name"), required=False)
    last_name = PersonNameField(label=_("Last name"), required=False)
    email = AddressField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    job_title = JobTitleField(label=_("Job title"), required=False)
    department = DepartmentField(label=_("Department"))
    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("Of their pages and letters. They can choose another.")
    )

    def __init__(
        self, data: Any, *, member: Member, departments: Sequence[Department], address: bool, confirm_at: str = ""
    ) -> None:
        person = member.user
        kept = {
            **{name: getattr(person, name) for name in ("first_name", "last_name", "language")},
            **{name: getattr(member, name) for name in ("email", "job_title", "department")},
        }
        super().__init__(data, initial=kept)
        self._confirm_at = ""
        self.offer(departments)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = User._meta.get_field("language").flatchoices
        if not address:
            del self.fields["email"]
        if person.owner_id == member.organization_id:
            if address and confirm_at:
                self._confirm_at = confirm_at
                self.fields["email"].widget.attrs["readonly"] = True
                self.fields["email"].help_text = self._ask_for_proof()
            elif address:
                self.fields["email"].help_text = _("Both addresses get a letter when it changes.")
        else:
            del self.fields["first_name"], self.fields["last_name"], self.fields["language"]
            if address:
                self.fields["email"].help_text = _(
                    "At which your organization knows them. The address they sign in with is theirs to change."
                )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if self._confirm_at and email != self.initial["email"]:
            raise ValidationError(self._ask_for_proof())
        return email

    def _ask_for_proof(self) -> SafeString:
        return format_html('{} <a href="{}">{}</a>', _NEEDS_PROOF, self._confirm_at, _("Confirm who you are"))


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label=_("What this person may do in the console"),
        widget=forms.RadioSelect,
        choices=[(value, Explained(label, ROLE_TEXTS[Member.Role(value)])) for value, label in Member.Role.choices],
    )


class NewRoleForm(forms.Form):
    """A role above "member" for somebody who was found."""

    skype_name = forms.CharField(max_length=32)
    role = forms.ChoiceField(
        choices=[(value, label) for value, label in Member.Role.choices if value != Member.Role.MEMBER]
    )


class InvitedAddressForm(forms.Form):
    email = AddressField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))


class BlockForm(forms.Form):
    reason = ReasonField(label=_("Reason"), help_text=_("Stands in the audit log, for administrators."))


class MoveMembersForm(NewDepartmentForm):
    """Where chosen people go."""

    choosing = "to"

    to = DepartmentField(label=_("New department"))

    def __init__(self, *args: Any, departments: Sequence[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(departments, ask=_("Choose a department"))
