from typing import Any

from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast


class MomentOrNever(models.DateTimeField):
    """A moment, or None for one that never was: -infinity in the database, so that it lies before every other one.

    Whoever asks for what has passed needs one comparison, which an index can answer, and no second one for NULL.
    """

    # None would be read back from an INSERT as it stands there, which no datetime can be.
    db_returning = False

    def __init__(self, **options: Any) -> None:
        never: Any = Cast(Value("-infinity"), models.DateTimeField())
        super().__init__(**options | {"default": None, "db_default": never})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        del options["default"], options["db_default"]
        return name, path, args, options

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return "-infinity" if value is None else super().get_db_prep_value(value, connection, prepared)

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"NULLIF({sql}, '-infinity')", params


class StatementClock(models.Func):
    """The database's clock when the statement began, which waits for no lock that isn't held before."""

    function = "STATEMENT_TIMESTAMP"
    output_field = models.DateTimeField()
