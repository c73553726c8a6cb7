from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.codes import normalize_code
from members.forms.fields import LabelField
from members.forms.passwords import PresentPasswordField
from members.sealed_secrets import read_draft
from skypemgr.sealing import Unsealable

LONGEST_CODE = 40


class CodeField(forms.CharField):
    """A code as somebody types it; of spaces, hyphens and digits of other scripts the service makes what it needs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=LONGEST_CODE,
            widget=forms.TextInput(
                attrs={
                    "autocomplete": "one-time-code",
                    "autocapitalize": "none",
                    "spellcheck": "false",
                    "class": "input-code",
                }
            ),
            **kwargs,
        )


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = CodeField(label=_("Code"))

    def __init__(self, *args: Any, has_app: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_app:
            self.fields["code"].help_text = _("Six digits from your authenticator app, or one of your recovery codes.")
        else:
            self.fields["code"].label = _("Recovery code")
            self.fields["code"].help_text = _("One of the ten you kept when you set up your passkey.")


class PasswordProofForm(forms.Form):
    """The password of somebody who is signed in, once more."""

    password = PresentPasswordField(label=_("Password"))


class AppForm(forms.Form):
    """An authenticator app, by the code it shows. ``draft`` is the sealed secret that the page has shown."""

    draft = forms.CharField(max_length=1_000, widget=forms.HiddenInput)
    code = CodeField(label=_("Code"), help_text=_("The six digits that the app shows now."))

    def __init__(self, *args: Any, account: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_draft(self) -> str:
        """The secret itself."""
        try:
            return read_draft(self.cleaned_data["draft"], account=self.account)
        except Unsealable:
            raise forms.ValidationError(
                _("This page was open too long. Open it again and scan the new picture.")
            ) from None

    def clean_code(self) -> str:
        return normalize_code(self.cleaned_data["code"])


class PasskeyNameForm(forms.Form):
    """What a passkey is called."""

    name = LabelField(label=_("Name"), help_text=_("So that you know it again: “Work laptop”, “Phone”."))


class NewPasskeyForm(PasskeyNameForm):
    """A passkey that the browser has just made; ``credential`` is what it says about it."""

    credential = forms.CharField(max_length=20_000, required=False, widget=forms.HiddenInput)


class PasskeyForm(forms.Form):
    """What a passkey answered."""

    credential = forms.CharField(max_length=20_000, required=False, widget=forms.HiddenInput)
    next = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)


class RecoveryCodesForm(forms.Form):
    """Recovery codes on their way into a file."""

    codes = forms.CharField(max_length=1_000)


class SecondFactorRuleForm(forms.Form):
    """Whether administrators need a second factor."""

    required = forms.BooleanField(required=False, widget=forms.HiddenInput)
