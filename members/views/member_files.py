"""The list of members as a file, whole or of those who were chosen on it. The import understands what is in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from members.access import Capability
from members.choosing import Chosen
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.models import Member, User
from members.registry import MembersColumn, registry
from members.selectors.members import MembersQuery, extra_columns
from members.views.answers import back_to_list
from skypemgr.row_files import FileKind


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def member_export(request: OrganizationRequest, kind: FileKind) -> HttpResponseBase:
    """Everybody the list shows, or those of them who were ticked; every column, whichever the list shows."""
    asked = MembersQuery.read(request.organization, request.GET)
    members = Chosen.read(request, request.GET).members if "member" in request.GET else asked.matching()
    return download(
        request,
        Capability.VIEW_MEMBERS,
        name="members",
        header=file_header(),
        chunks=asked.chunks(members),
        make=lambda members: _file_rows(asked, members),
        kind=kind,
    )


def file_header() -> list[str]:
    """The names of the columns in the active language; those of the import's fields are names that it knows."""
    return [
        gettext("Skype Name"),
        gettext("First name"),
        gettext("Last name"),
        gettext("E-mail"),
        gettext("Department"),
        gettext("Role"),
        gettext("Kind"),
        gettext("State"),
        gettext("Joined"),
        *(str(column.label) for column in _columns()),
    ]


def _columns() -> list[MembersColumn]:
    return [column for column in registry.all(MembersColumn) if column.in_file]


def _file_rows(asked: MembersQuery, members: Sequence[Member]) -> Iterator[list[Any]]:
    extra = extra_columns(asked.organization, members, _columns())
    # Looked up once: what asks for the label of a choice translates all of them, for each row.
    role, kind, state = (
        {value: str(label) for value, label in choices.choices} for choices in (Member.Role, User.Kind, Member.State)
    )
    for member in members:
        yield [
            member.user.skype_name,
            member.user.first_name,
            member.user.last_name,
            member.email,
            member.department.path if member.department else "",
            role[member.role],
            kind[member.user.kind],
            state[member.state],
            timezone.localtime(member.joined_at).date() if member.joined_at else "",
            *(entry.values.get(member.pk, "") for entry in extra),
        ]


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def members_export(request: OrganizationRequest) -> HttpResponse:
    """What a file of the chosen will hold, and as which kind it is wanted."""
    chosen = Chosen.read(request, request.GET)
    if not chosen.number:
        return back_to_list(request, chosen)
    context = {
        "section": "members",
        "subsection": "list",
        "heading": gettext("Export members"),
        "trail": [(gettext("Members"), chosen.list_url)],
        "chosen": chosen,
    }
    return render(request, "members/members_export.html", context)
