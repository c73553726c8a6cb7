from collections.abc import Iterator
from contextlib import contextmanager

from django.forms import BaseForm

from skypemgr.errors import DomainError


@contextmanager
def form_errors(form: BaseForm) -> Iterator[None]:
    """Turn a DomainError raised inside the block into an error on the form, next to its field."""
    try:
        yield
    except DomainError as error:
        field = error.field if error.field in form.fields else None
        form.add_error(field, str(error))
