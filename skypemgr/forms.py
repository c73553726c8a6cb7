import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm, CharField, TextInput
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from skypemgr.characters import CONTROL, DIRECTION, REPLACEMENT, code_point, drop_unseen, trim
from skypemgr.errors import DomainError
from skypemgr.problems import Problem, Texts

MOST_REASON = 300
REASON_TEXTS: Texts = {
    "reason_character": _("The reason holds a character that can’t be kept (%(code_point)s). Type it again."),
    "reason_long": _("The reason is too long: %(length)d characters, and at most %(maximum)d fit."),
}


class ReasonProblem(Problem):
    """A reason that can't be kept as it was typed."""

    texts = REASON_TEXTS


def read_reason(text: str) -> str:
    """Why somebody did something, in one line of 300 characters at most. Raises ReasonProblem."""
    reason = trim(text)
    if len(reason) > MOST_REASON:
        raise ReasonProblem("reason_long", length=len(reason), maximum=MOST_REASON)
    if found := CONTROL.search(reason) or DIRECTION.search(reason) or re.search(REPLACEMENT, reason):
        raise ReasonProblem("reason_character", code_point=code_point(found[0]))
    return unicodedata.normalize("NFC", " ".join(drop_unseen(reason).split()))


class ReasonField(CharField):
    """Why somebody does something; may be left empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_REASON, required=False, strip=False, **options)

    def clean(self, value: Any) -> str:
        try:
            return read_reason(super().clean(value))
        except ReasonProblem as problem:
            raise ValidationError(str(problem), code=problem.code) from None


class Renderer(TemplatesSetting):
    """Renders forms from ``templates/django/forms/``, where each control has the classes of the look."""


class AffixInput(TextInput):
    """An input that shares its border with a text before or after it: a currency, an address, a unit.

    A ``class`` among ``attrs`` is for the whole (its width), ``input_class`` for the input alone.
    """

    template_name = "django/forms/widgets/affix.html"

    def __init__(
        self,
        *,
        before: str | Promise = "",
        after: str | Promise = "",
        input_class: str = "",
        attrs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(attrs)
        self.before = before
        self.after = after
        self.input_class = input_class

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"] |= {"before": self.before, "after": self.after, "input_class": self.input_class}
        return context


@dataclass(frozen=True)
class Explained:
    """The label of a choice, with a line that says what choosing it means."""

    title: str | Promise
    explanation: str | Promise

    def __str__(self) -> str:
        return str(self.title)


@contextmanager
def form_errors(form: BaseForm) -> Iterator[None]:
    """Turn a DomainError raised inside the block into an error on the form, next to its field."""
    try:
        yield
    except DomainError as error:
        # A form may have another name for it.
        named = getattr(form, "told_at", {}).get(error.field, error.field)
        field = named if named in form.fields else None
        form.add_error(field, str(error))
        form.refusal = error  # type: ignore[attr-defined]


@contextmanager
def told_refusals(request: HttpRequest) -> Iterator[None]:
    """Turn a DomainError raised inside the block into a message on the next page; for buttons without a form."""
    try:
        yield
    except DomainError as error:
        messages.error(request, str(error))
