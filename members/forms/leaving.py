from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from members.leaving import Left, seal_of
from skypemgr.forms import ReasonField


class LeavingForm(forms.Form):
    """What is decided about everything that somebody leaves behind; nobody who sends it saw anything else."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    # What can be decided, as it was shown.
    asked = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = ReasonField(label=_("Reason"), help_text=_("Stands in the audit log for good."), widget=forms.TextInput)

    def __init__(self, data: Any, *, left: Sequence[Left]) -> None:
        super().__init__(data, initial={"seen": seal_of(left)})
        self._keys: list[str] = []
        for one in left:
            if one.choosable:
                self._add(one)
        self.fields["asked"].initial = " ".join(self._keys)
        self.order_fields(["key", "seen", "asked", *self._keys, "reason"])

    def show_again(self) -> None:
        """Take what is shown now as seen, for whoever is told that it has changed."""
        shown = {"seen": self.initial["seen"], "asked": self.fields["asked"].initial}
        self.data = {name: self.data[name] for name in self.data} | shown

    @property
    def decisions(self) -> list[forms.BoundField]:
        """The fields of what can be decided, in the order of the lines."""
        return [self[key] for key in self._keys]

    @property
    def choices(self) -> Mapping[str, str]:
        """Everything that was chosen, as the service takes it, of what is not there any more as well.

        So a form that arrives twice is the same both times. What was not asked doesn't count.
        """
        asked = str(self.data.get("asked", "")).split() or self._keys
        return {
            name: self.data[name].strip() for name in asked if name in self.data and name not in self.declared_fields
        }

    def _add(self, one: Left) -> None:
        line = one.line
        self.fields[line.key] = forms.ChoiceField(
            # As in the log; some languages space the colon.
            label=pgettext("field of the log", "{label}: {value}").format(label=line.label, value=line.value),
            # Holds what people have named.
            help_text=escape(line.note),
            choices=list(line.choices),
            initial=line.choices[0][0],
            widget=forms.RadioSelect,
        )
        self._keys.append(line.key)
        if line.days is not None:
            between = _("Type a number of days from 0 to {most}.").format(most=line.days.most)
            self.fields[line.days.key] = forms.IntegerField(
                label=str(line.days.label),
                help_text=str(line.days.note),
                initial=line.days.initial,
                min_value=0,
                max_value=line.days.most,
                error_messages=dict.fromkeys(["min_value", "max_value", "invalid", "required"], between),
            )
            self._keys.append(line.days.key)
