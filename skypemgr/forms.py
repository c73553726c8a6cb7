from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import BaseForm, TextInput
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.functional import Promise

from skypemgr.errors import DomainError


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
        field = error.field if error.field in form.fields else None
        form.add_error(field, str(error))
        form.refusal = error  # type: ignore[attr-defined]


@contextmanager
def told_refusals(request: HttpRequest) -> Iterator[None]:
    """Turn a DomainError raised inside the block into a message on the next page; for buttons without a form."""
    try:
        yield
    except DomainError as error:
        messages.error(request, str(error))
