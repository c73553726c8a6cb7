"""The log of changes: who is found by which filter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from members.audit import Action
from members.models import AuditEntry, Member, Organization, User
from members.names import fold
from members.registry import Text
from members.tenures import know_predecessors
from skypemgr.lists import (
    ChoiceFilter,
    Ordering,
    Page,
    count_up_to,
    keyset_chunks,
    keyset_page,
    read_choice,
    read_day,
    read_text,
)

NEWEST = Ordering("newest", ("-at", "-id"))
MOST_ACTORS = 200
SYSTEM, OPERATOR = "system", "operator"


@dataclass(frozen=True)
class AuditQuery:
    """What a query string asks of the log; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    search: str
    since: date | None
    filters: Sequence[ChoiceFilter]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "AuditQuery":
        actors = list_actors(organization)
        return cls(
            organization=organization,
            query=query,
            search=read_text(query),
            since=read_day(query, "since"),
            filters=[
                ChoiceFilter(
                    key="action",
                    label=_("What"),
                    every=_("Every action"),
                    choices=Action.choices,
                    chosen=read_choice(query, "action", Action.values),
                ),
                ChoiceFilter(
                    key="by",
                    label=_("By"),
                    every=_("By anyone"),
                    choices=actors,
                    chosen=read_choice(query, "by", [key for key, _label in actors]),
                ),
            ],
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.since or any(entry.chosen for entry in self.filters))

    def page(self) -> Page[AuditEntry]:
        found = self.matching()
        total = count_up_to(found)
        text = ngettext_lazy("{shown} of {total} change, newest first", "{shown} of {total} changes, newest first")
        page = keyset_page(with_people(found), order=NEWEST, query=self.query, text=text % total.number, total=total)
        return know_people_then(page)

    def chunks(self) -> Iterator[list[AuditEntry]]:
        """Every entry the query asks for, newest first, some at a time."""
        for entries in keyset_chunks(with_people(self.matching()), order=NEWEST):
            know_predecessors(people_of(entries))
            yield entries

    def matching(self) -> QuerySet[AuditEntry]:
        entries = AuditEntry.objects.filter(organization=self.organization)
        if self.search:
            people = Member.objects.of(self.organization)
            for word in fold(self.search).split():
                people = people.filter(search_text__contains=word)
            entries = entries.filter(subject_member__in=people.values("pk"))
        if self.since:
            # The day begins where the organization is.
            start = datetime.combine(self.since, time.min, ZoneInfo(self.organization.time_zone))
            entries = entries.filter(at__gte=start.astimezone(UTC))
        chosen = {entry.key: entry.chosen for entry in self.filters}
        if chosen["action"]:
            entries = entries.filter(action=chosen["action"])
        match chosen["by"]:
            case "":
                return entries
            case "system" | "operator" as kind:
                return entries.filter(actor_kind=kind)
            case skype_name:
                # By the key, which is what the index is about.
                acted = Member.objects.of(self.organization).named(skype_name).values_list("pk", flat=True)
                return entries.filter(actor_member=acted[0]) if acted else entries.none()


def list_history(member: Member, query: QueryDict) -> Page[AuditEntry]:
    """A page of what was done to a member, newest first."""
    found = AuditEntry.objects.filter(organization=member.organization_id, subject_member=member)
    total = count_up_to(found)
    text = ngettext_lazy("{shown} of {total} change, newest first", "{shown} of {total} changes, newest first")
    page = keyset_page(with_people(found), order=NEWEST, query=query, text=text % total.number, total=total)
    return know_people_then(page)


def know_people_then(page: Page[AuditEntry]) -> Page[AuditEntry]:
    """The page, with who had the accounts of its people before."""
    know_predecessors(people_of(page.rows))
    return page


def people_of(entries: Sequence[AuditEntry]) -> Iterator[Member | None]:
    """Who acted in ``entries``, and on whom."""
    for entry in entries:
        yield entry.actor_member
        yield entry.subject_member


def with_people(entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """``entries`` with who acted, on whom, and from where that was."""
    return entries.select_related("actor_member__user", "actor_user", "subject_member__user", "origin")


def list_actors(organization: Organization) -> list[tuple[str, Text]]:
    """Who can have done something, for a filter: the system, operators, and by Skype Name whoever has a role.

    Of members those who come first by name: anybody without a role changes only what is their own.
    """
    members = Member.objects.of(organization).present().order_by("sort_key", "pk")
    # Role by role, as the index has them: together they would all be sorted.
    keys = [
        members.filter(role=role).values("pk", "sort_key")[:MOST_ACTORS]
        for role in Member.Role.values
        if role != Member.Role.MEMBER
    ]
    first = keys[0].union(*keys[1:], all=True).order_by("sort_key", "pk")[:MOST_ACTORS]
    people = members.filter(pk__in=[row["pk"] for row in first])
    names = people.values_list("user__skype_name", "user__first_name", "user__last_name")
    return [
        (SYSTEM, _("Skype Manager")),
        (OPERATOR, _("Operators")),
        *((skype_name, User.name_of(skype_name, *parts)) for skype_name, *parts in names),
    ]
