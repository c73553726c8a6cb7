from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import Member
from telephony.feature_settings import PRODUCTS, kinds_in_order, seats_with_settings, settings_of
from telephony.models import FeatureSetting
from telephony.product_names import name_of

Kind = FeatureSetting.Kind
NUMBERS: dict[str, tuple[Any, Any]] = {
    Kind.FORWARDING: (
        _("Calls go on to"),
        _("A number with its country, as +33 1 99 00 45 10. Left empty, calls are not forwarded."),
    ),
    Kind.CALLER_ID: (
        _("Number that is shown"),
        _("One of your organization’s numbers, as +33 1 99 00 45 10. Left empty, it is one’s own."),
    ),
}


class FeatureForm(forms.Form):
    """The setting of a feature of one kind."""

    def __init__(self, data: Any = None, *, kind: str, present: FeatureSetting | None = None) -> None:
        super().__init__(data, auto_id=f"{kind}_%s")
        self.kind = kind
        if kind in NUMBERS:
            label, hint = NUMBERS[kind]
            self.fields["number"] = forms.CharField(
                label=label, help_text=hint, required=False, max_length=40, widget=forms.TextInput({"type": "tel"})
            )
        else:
            self.fields["name"] = forms.CharField(label=_("SIP profile"), required=False, max_length=50)
            self.fields["username"] = forms.CharField(
                label=_("SIP user"),
                help_text=_("Left empty, both of them, there is no profile."),
                required=False,
                max_length=64,
            )
        for name, field in self.fields.items():
            field.initial = getattr(present, name, "")


def forms_of(member: Member, refused: FeatureForm | None = None) -> list[tuple[str, FeatureForm]]:
    """A form for each feature with settings that a member has, with its name; ``refused`` as it was sent."""
    seats = seats_with_settings(member)
    present = settings_of(member, seats)
    return [
        (
            name_of(PRODUCTS[kind]),
            refused if refused and refused.kind == kind else FeatureForm(kind=kind, present=present.get(kind)),
        )
        for kind in kinds_in_order(seats)
    ]
