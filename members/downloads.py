"""Files made of many rows while they are sent. Whoever may not see them any more gets no more of them."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.http import StreamingHttpResponse

from members.access import Actor, Capability
from members.decorators import OrganizationRequest, SignedInRequest
from members.models import Member, User
from skypemgr.lists import rows_for_file
from skypemgr.row_files import FileKind, file_response

logger = logging.getLogger(__name__)


class AccessEnded(Exception):
    """Whoever asked for a file may not have the rest of it. It breaks off, so that it isn't taken for whole."""


def download[T](
    request: OrganizationRequest,
    capability: Capability | None,
    *,
    name: str,
    header: Iterable[Any],
    chunks: Iterable[Sequence[T]],
    make: Callable[[Sequence[T]], Iterable[Sequence[Any]]],
    kind: FileKind = FileKind.CSV,
) -> StreamingHttpResponse:
    """A file of what ``make`` makes of each chunk, for as long as its reader holds ``capability``.

    None is for what is a member's own.
    """
    about = {"user": request.user.pk, "organization": request.organization.pk}
    rows = rows_for_file(_while_allowed(lambda: _is_allowed(request, capability), about, chunks), make)
    return file_response(f"{request.organization.slug}-{name}", header, rows, kind=kind)


def download_of_installation[T](
    request: SignedInRequest,
    *,
    name: str,
    header: Iterable[Any],
    chunks: Iterable[Sequence[T]],
    make: Callable[[Sequence[T]], Iterable[Sequence[Any]]],
) -> StreamingHttpResponse:
    """A file of what ``make`` makes of each chunk, for as long as its reader runs the installation."""
    rows = rows_for_file(_while_allowed(lambda: _is_operator(request), {"user": request.user.pk}, chunks), make)
    return file_response(name, header, rows)


def _while_allowed[T](
    is_allowed: Callable[[], bool], about: dict[str, int], chunks: Iterable[Sequence[T]]
) -> Iterator[Sequence[T]]:
    for place, chunk in enumerate(chunks):
        # The decorator of the view has just asked.
        if place and not is_allowed():
            logger.warning("A download was broken off: its reader may not have the rest.", extra=about)
            raise AccessEnded
        yield chunk


def _is_allowed(request: OrganizationRequest, capability: Capability | None) -> bool:
    member = Member.objects.of(request.organization).select_related("user").filter(pk=request.member.pk).first()
    return (
        member is not None
        and (capability is None or Actor.of_member(member).can(capability))
        # Who has left keeps what is their own.
        and (member.state == Member.State.ACTIVE or (capability is None and member.state == Member.State.LEFT))
        and _has_session(request, member.user)
    )


def _is_operator(request: SignedInRequest) -> bool:
    user = User.objects.filter(pk=request.user.pk, is_operator=True, is_active=True).first()
    return user is not None and _has_session(request, user)


def _has_session(request: SignedInRequest, user: User) -> bool:
    return user.get_session_auth_hash() == request.session.get(HASH_SESSION_KEY) and request.session.exists(
        request.session.session_key or ""
    )
