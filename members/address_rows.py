"""What will happen to each row of a file of new addresses, and what is wrong with it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from members import address_file, addresses
from members.access import Actor
from members.address_file import AddressRow
from members.addresses import AddressProblem, normalize_address, same_address_key
from members.bulk import roles_above
from members.models import Batch, BatchRow, Invitation, Member, Organization, User
from members.models.invitations import InvitationQuerySet
from skypemgr.problems import Texts, tell

type Entry = dict[str, Any]

MOST_KEPT = 320
AT_ONCE = 5_000
TEXTS: Texts = {
    **addresses.TEXTS,
    **address_file.TEXTS,
    "invitation_unknown": _("There is no invitation to %(address)s."),
    "invitation_answered": _("The invitation to %(address)s was already accepted, declined or canceled."),
    "invitation_above": _("%(address)s is invited to a role that is above yours."),
    "invitation_twice": _("The same invitation as in row %(row)d."),
    "new_twice": _("The same new address as in row %(row)d."),
    "new_same": _("The new address is the old one."),
    "new_taken": _("Somebody in this organization already has the address %(address)s."),
    "new_missing": _("No new address. Nothing will be done."),
}


def sentence(entry: Mapping[str, Any]) -> str:
    """A stored problem or note of a row in the active language."""
    return tell(TEXTS, entry["code"], entry["facts"])


def check_addresses(
    organization: Organization, actor: Actor, batch: Batch, rows: Sequence[AddressRow]
) -> list[BatchRow]:
    """Rows, not saved, that say which invitation goes where, with every problem of every row at once.

    A row without a new address is skipped, so that a list of the bounced ones can be filled in bit by bit. An address
    that somebody has is taken, also when a row of the same file moves them away from it.
    """
    checks = _Checks.of(organization, actor, rows)
    return [checks.check(batch, row) for row in rows]


@dataclass(frozen=True)
class _Invited:
    key: int
    member: int | None
    state: str | None
    role: str | None


@dataclass(frozen=True)
class _Checks:
    organization: Organization
    invited: Mapping[str, _Invited]
    answered: Collection[str]
    taken: Collection[str]
    above: Collection[str]
    seen: dict[int, int]
    seen_new: dict[str, int]

    @classmethod
    def of(cls, organization: Organization, actor: Actor, rows: Sequence[AddressRow]) -> "_Checks":
        old = {key for row in rows if (key := _key_of(row.old))}
        new = {key for row in rows if (key := _key_of(row.new))}
        invited = _find_invited(organization, old)
        return cls(
            organization=organization,
            invited=invited,
            answered=_find_answered(organization, old - set(invited)),
            taken=_find_taken(organization, new),
            above=set(roles_above(actor)),
            seen={},
            seen_new={},
        )

    def check(self, batch: Batch, row: AddressRow) -> BatchRow:
        problems: list[Entry] = [{"field": None, **problem} for problem in row.problems]
        data = {"old": row.old[:MOST_KEPT], "new": row.new[:MOST_KEPT]}
        invited, notes = None, []
        if row.new:
            invited = self._check_old(row, data, problems)
            self._check_new(row, data, problems)
        else:
            notes.append(_entry("new", "new_missing"))
        outcome = BatchRow.Outcome.READY if row.new else BatchRow.Outcome.SKIPPED
        return BatchRow(
            organization_id=self.organization.pk,
            batch_id=batch.pk,
            number=row.number,
            data=data,
            outcome=BatchRow.Outcome.PROBLEM if problems else outcome,
            problems=problems,
            notes=notes,
            match_key=_key_of(row.new)[:MOST_KEPT],
            member_id=invited.member if invited else None,
            invitation_id=invited.key if invited else None,
        )

    def _check_old(self, row: AddressRow, data: dict[str, str], problems: list[Entry]) -> _Invited | None:
        try:
            data["old"] = normalize_address(row.old)
        except AddressProblem as problem:
            problems.append({**problem.as_json(), "field": "old"})
            return None
        key = same_address_key(data["old"])
        invited = self.invited.get(key)
        if invited is None or (invited.member is not None and invited.state != Member.State.INVITED):
            answered = invited is not None or key in self.answered
            code = "invitation_answered" if answered else "invitation_unknown"
            problems.append(_entry("old", code, address=data["old"]))
        elif invited.role in self.above:
            problems.append(_entry("old", "invitation_above", address=data["old"]))
        elif (first := self.seen.setdefault(invited.key, row.number)) != row.number:
            problems.append(_entry("old", "invitation_twice", row=first))
        return invited

    def _check_new(self, row: AddressRow, data: dict[str, str], problems: list[Entry]) -> None:
        try:
            data["new"] = normalize_address(row.new)
        except AddressProblem as problem:
            problems.append({**problem.as_json(), "field": "new"})
            return
        key = same_address_key(data["new"])
        if key == same_address_key(data["old"]):
            problems.append(_entry("new", "new_same"))
        elif key in self.taken:
            problems.append(_entry("new", "new_taken", address=data["new"]))
        elif (first := self.seen_new.setdefault(key, row.number)) != row.number:
            problems.append(_entry("new", "new_twice", row=first))


def _entry(field: str, code: str, **facts: object) -> Entry:
    return {"field": field, "code": code, "facts": facts}


def _key_of(text: str) -> str:
    try:
        return same_address_key(normalize_address(text))
    except AddressProblem:
        return ""


def _parts(keys: Collection[str]) -> Iterator[list[str]]:
    everything = sorted(keys)
    for start in range(0, len(everything), AT_ONCE):
        yield everything[start : start + AT_ONCE]


def _by_address(organization: Organization) -> InvitationQuerySet:
    """The invitations that went to an address. That of somebody who was asked by Skype Name is theirs to tell."""
    by_name = Q(kind=User.Kind.PERSONAL, member=None) & ~Q(user=None)
    return Invitation.objects.filter(organization=organization).exclude(by_name)


def _find_invited(organization: Organization, keys: Collection[str]) -> dict[str, _Invited]:
    """The invitations that wait for an answer, by the addresses they went to."""
    waiting = (
        _by_address(organization)
        .filter(state=Invitation.State.PENDING)
        .annotate(folded=Lower("email"), of_state=F("member__state"), of_role=F("member__role"))
    )
    found: dict[str, _Invited] = {}
    for some in _parts(keys):
        rows = waiting.filter(folded__in=some).values_list("folded", "pk", "member", "of_state", "of_role")
        found |= {folded: _Invited(pk, member, state, role) for folded, pk, member, state, role in rows}
    return found


def _find_answered(organization: Organization, keys: Collection[str]) -> set[str]:
    if not keys:
        return set()
    # All at once: those that were answered are found by no index, so each question walks through them.
    over = _by_address(organization).exclude(state=Invitation.State.PENDING).annotate(folded=Lower("email"))
    return set(over.filter(folded__in=sorted(keys)).values_list("folded", flat=True))


def _find_taken(organization: Organization, keys: Collection[str]) -> set[str]:
    """Those of some addresses that somebody in the organization has, or is invited at."""
    members = Member.objects.of(organization).present().annotate(folded=Lower("email"))
    waiting = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    found: set[str] = set()
    for some in _parts(keys):
        for rows in (members, waiting.annotate(folded=Lower("email"))):
            found.update(rows.filter(folded__in=some).values_list("folded", flat=True))
    return found
