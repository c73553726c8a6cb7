"""The choice of an encoding, made by whoever knows how the words of a file look when they are right."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.text import get_text_list
from django.utils.translation import gettext_lazy as _

from skypemgr.encoding_samples import Candidate
from skypemgr.forms import Explained


class EncodingForm(forms.Form):
    """Which encoding a file is to be read in, told by how a few of its rows look in each."""

    encoding = forms.ChoiceField(label=_("Read as"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["encoding"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (one.codec, Explained(title=get_text_list(list(one.names)), explanation=" · ".join(one.rows)))
            for one in candidates
        ]
