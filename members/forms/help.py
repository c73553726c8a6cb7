import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models.help import LONGEST_COMMENT
from skypemgr.characters import CONTROL, DIRECTION, drop_unseen, storable

YES, NO = "yes", "no"


class CommentField(forms.CharField):
    """A few lines, kept as they can be read: without what nobody sees."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}), required=False, **options)

    def to_python(self, value: Any) -> str:
        lines = storable(super().to_python(value) or "").splitlines()
        seen = (drop_unseen(DIRECTION.sub("", CONTROL.sub(" ", line))).rstrip() for line in lines)
        return unicodedata.normalize("NFC", "\n".join(seen)).strip()


class HelpFeedbackForm(forms.Form):
    """Whether an article helped, and what was missing."""

    useful = forms.ChoiceField(
        label=_("Was this page useful?"),
        choices=[(YES, _("Yes")), (NO, _("No"))],
        widget=forms.RadioSelect,
    )
    comment = CommentField(label=_("What helped, or what is missing?"), max_length=LONGEST_COMMENT)
    key = forms.UUIDField(widget=forms.HiddenInput)
