"""Who is to have which number, as a file says it."""

from django import forms
from django.utils.translation import gettext_lazy as _


class AssignmentFileForm(forms.Form):
    """A CSV file of who is to have which number."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("Columns: person, number, emergency address, place. At most 1,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
