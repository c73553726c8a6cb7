"""The columns of the members list: those of this app, and which of all there are somebody has chosen to see."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.addresses import display_address
from members.models import Member, Organization, User
from members.models.organizations import LANGUAGES
from members.registry import MembersColumn, Text, registry
from skypemgr.templatetags.look import day

# Of this browser, signed in or not, as the appearance is; it may hold what is no column any more.
COOKIE = "members_columns"
# Part of the markup of each row; everything else is a registered column. The name is always there.
NAME, DEPARTMENT, STATE = "name", "department", "state"
LANGUAGE_NAMES = dict(LANGUAGES)


def register() -> None:
    """Called once at start-up."""
    registry.add(
        MembersColumn(
            key="email",
            label=_("E-mail"),
            order=10,
            values=_each(lambda member: member.email),
            show=lambda organization, email: display_address(email),
            shown=False,
            in_file=False,
        ),
        MembersColumn(
            key="job_title",
            label=_("Job title"),
            order=20,
            values=_each(lambda member: member.job_title),
            shown=False,
        ),
        MembersColumn(
            key="language",
            label=_("Language"),
            order=25,
            values=_each(_language),
            shown=False,
        ),
        MembersColumn(
            key="joined",
            label=_("Joined"),
            order=30,
            values=_each(lambda member: _day(member.joined_at)),
            show=_show_day,
            css_class="nowrap",
            shown=False,
            in_file=False,
        ),
        MembersColumn(
            key="added",
            label=pgettext_lazy("members", "Added"),
            order=35,
            values=_each(lambda member: _day(member.created_at)),
            show=_show_day,
            css_class="nowrap",
            shown=False,
            in_file=False,
            orders=("newest", "oldest"),
        ),
    )


def on_offer() -> list[tuple[str, Text]]:
    """Every column that can be left out, with its label, in the order of the list."""
    registered = [(column.key, column.label) for column in registry.all(MembersColumn)]
    return [(DEPARTMENT, _("Department and role")), (STATE, _("State")), *registered]


def chosen_columns(request: HttpRequest) -> frozenset[str]:
    """The keys of the columns to show: as this browser was told, else those that are shown to everybody."""
    if kept := request.COOKIES.get(COOKIE):
        return frozenset(key for key, _label in on_offer() if key in kept.split("-"))
    return frozenset([DEPARTMENT, STATE, *(column.key for column in registry.all(MembersColumn) if column.shown)])


def cookie_of(keys: Sequence[str]) -> str:
    """What a browser is to keep of a choice; never empty, since the name is always shown."""
    return "-".join([NAME, *(key for key, _label in on_offer() if key in keys)])


def _each(
    value: Callable[[Member], object],
) -> Callable[[Organization, Sequence[Member]], dict[int, object]]:
    return lambda organization, members: {member.pk: found for member in members if (found := value(member))}


def _language(member: Member) -> str:
    # That of a personal account is its owner's, as on the page of the member.
    return LANGUAGE_NAMES.get(member.user.language, "") if member.user.kind == User.Kind.BUSINESS else ""


def _day(moment: datetime | None) -> date | None:
    return timezone.localtime(moment).date() if moment else None


def _show_day(organization: Organization, value: date) -> str:
    return day(value)
