from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from credit.forms.fields import AmountField
from skypemgr.forms import Explained, ReasonField

LARGEST_FILE = 16 * 1024 * 1024


class AllocationForm(forms.Form):
    """How much credit somebody gets, and why. ``key`` names this form, so that sending it again adds nothing."""

    amount = AmountField(label=_("Amount"))
    reason = ReasonField(label=_("Reason"), widget=forms.TextInput(attrs={"placeholder": _("Shown in the statement")}))
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {"key": uuid4(), **kwargs.get("initial", {})}})
        field = self.fields["amount"]
        assert isinstance(field, AmountField)
        field.set_currency(currency)


class RecipientsForm(forms.Form):
    """Who is to get credit: everybody, or a department."""

    EVERYBODY, DEPARTMENT = "everybody", "department"
    WHOM = (
        (EVERYBODY, Explained(_("Everybody"), _("All members, those who have not joined yet among them."))),
        (DEPARTMENT, Explained(_("A department"), _("All of its people."))),
    )

    whom = forms.ChoiceField(label=_("Who gets credit"), widget=forms.RadioSelect, initial=EVERYBODY, choices=WHOM)
    department = forms.ChoiceField(label=_("Department"), required=False)
    under = forms.BooleanField(label=_("And those under it"), required=False, initial=True)

    def __init__(self, *args: Any, departments: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["department"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose a department")), *((str(key), path) for key, path in departments)]
        if not departments:
            del self.fields["department"], self.fields["under"]
            whom = self.fields["whom"]
            assert isinstance(whom, forms.ChoiceField)
            whom.choices = self.WHOM[:1]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("whom") == self.DEPARTMENT and not cleaned.get("department"):
            self.add_error("department", _("Choose a department."))
        return cleaned


class AmountsFileForm(forms.Form):
    """A file that says who gets how much. ``key`` names this form, so that sending it again reads nothing twice."""

    file = forms.FileField(
        label=_("Choose a CSV file"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values"}),
        help_text=_(
            "One column says who, by e-mail address or Skype Name, one how much. A third may say why. Call them"
            " E-mail, Amount and Reason."
        ),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise ValidationError(
                _("The file is larger than %(size)d MB. Split it and take it in in parts.")
                % {"size": LARGEST_FILE // 1024 // 1024}
            )
        return file
