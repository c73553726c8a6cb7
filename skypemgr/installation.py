"""What must hold on a running installation, as system checks that `manage.py check_installation` asks for.

An app adds its own in its module ``checks``. They look at the database and at other servers, so `check`
and `migrate` leave them out; `check --deploy --database default` includes them.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.core import checks

TAG = "installation"

type Findings = Iterable[str]


def installation_check(function: Callable[[], Findings]) -> Callable[[], Findings]:
    """Register a function that yields a sentence for each thing that does not hold, with what to do about it.

    A check that could not run has failed, whatever the reason.
    """
    name = f"{TAG}.{function.__name__}"

    def run(**kwargs: Any) -> list[checks.CheckMessage]:
        try:
            return [checks.Error(finding, id=name) for finding in function()]
        except Exception as error:  # noqa: BLE001
            return [checks.Error(f"This could not be checked: {type(error).__name__}: {error}", id=name)]

    checks.register(run, TAG, checks.Tags.database, deploy=True)
    return function
