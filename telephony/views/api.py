"""What programs send about calls."""

import shutil
from tempfile import TemporaryFile
from zoneinfo import ZoneInfoNotFoundError

from django.http import HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from members.api import ApiRequest, answer, api_view, problem
from skypemgr.csv_files import UnreadableFile
from telephony.call_files import FORMATS, Clock, clock_of, read_calls
from telephony.calls.feeding import ImportedCalls
from telephony.models.calls import LONGEST_SOURCE
from telephony.services.calls import import_calls

# So much is imported while a program waits for its answer.
MOST_BYTES = 10_000_000


@api_view("calls:write")
@require_POST
def import_feed(request: ApiRequest) -> HttpResponse:
    """Import the calls in the body of a request, which is a file as ``import_calls`` reads it.

    ``format``, ``source``, ``time_zone`` and ``dry_run`` stand in the address. What is known already is left alone, so
    that a request can be sent again whatever became of it.
    """
    named = request.GET.get("format", "")
    if named not in FORMATS:
        return _wrong(gettext("“format” is one of {formats}.").format(formats=", ".join(FORMATS)))
    clock = _clock(request.GET.get("time_zone", "UTC"))
    if clock is None:
        return _wrong(gettext("“time_zone” is a name as in Europe/Paris."))
    source = request.GET.get("source", named).strip()
    if not 0 < len(source) <= LONGEST_SOURCE or not source.isprintable():
        return _wrong(gettext("“source” has 1 to {most} characters.").format(most=LONGEST_SOURCE))
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        text = gettext("A request holds {most} MB at most. Send the feed in several.")
        return problem(413, gettext("Too much at once"), text.format(most=MOST_BYTES // 1_000_000))
    dry_run = request.GET.get("dry_run") == "1"
    with TemporaryFile() as file:
        shutil.copyfileobj(request, file)
        file.seek(0)
        try:
            imported = import_calls(
                actor=request.actor,
                organization=request.organization,
                rows=read_calls(file, named=named, clock=clock),
                source=source,
                format=named,
                dry_run=dry_run,
            )
        except UnreadableFile as error:
            return problem(422, gettext("Not a file of that format"), str(error))
    return answer(_facts(request, imported, dry_run=dry_run))


def _clock(name: str) -> Clock | None:
    try:
        return clock_of(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _facts(request: ApiRequest, imported: ImportedCalls, *, dry_run: bool) -> dict[str, object]:
    return {
        "rows": imported.rows,
        "would_add" if dry_run else "added": imported.added,
        "duplicates": imported.duplicates,
        "unassigned": imported.unassigned,
        "unrated": imported.unrated,
        "wrong": imported.wrong,
        "charged": imported.charged,
        "currency": request.organization.currency,
        "errors": [error._asdict() for error in imported.errors],
    }


def _wrong(detail: str) -> HttpResponse:
    return problem(400, gettext("Not understood"), detail)
