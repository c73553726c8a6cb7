"""Who is to have which number, as a file says it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from skypemgr.text_files import ENCODINGS


class AssignmentFileForm(forms.Form):
    """A CSV file of who is to have which number."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Columns: person, number, emergency address, place. At most 1,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    encoding = forms.ChoiceField(
        label=_("Read as"),
        required=False,
        choices=[("", _("As the file looks")), *((codec, known.name) for codec, known in ENCODINGS.items())],
        help_text=_("Choose another one only where letters with accents are shown wrong."),
    )
