"""What will happen to each row of people to be added. The review and the creation ask the same question here."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from members.addresses import read_mailbox, same_address_key
from members.departments import split_path
from members.languages import read_language
from members.models import Batch, BatchRow, Department, Invitation, Member, Organization
from members.names import NameAllocator, check_department_name, check_skype_name, propose_skype_name, tidy_name
from members.skype_names import taken_skype_names
from skypemgr.characters import storable, trim
from skypemgr.problems import Problem

type Entry = dict[str, Any]

FIELDS = ("email", "skype_name", "first_name", "last_name", "job_title", "department", "language")
Outcome = BatchRow.Outcome


@dataclass(kw_only=True)
class Draft:
    """One person as asked for. ``typed``: the Skype Name was typed by hand; ``password`` is a hash or ""."""

    number: int
    email: str = ""
    skype_name: str = ""
    first_name: str = ""
    last_name: str = ""
    job_title: str = ""
    department: str = ""
    language: str = ""
    typed: bool = False
    password: str = ""
    problems: list[Entry] = field(default_factory=list)
    notes: list[Entry] = field(default_factory=list)

    @classmethod
    def of_row(cls, row: BatchRow) -> "Draft":
        """The draft that a stored row came from, with what was chosen for it."""
        data = {name: row.data.get(name, "") for name in (*FIELDS, "password")}
        return cls(number=row.number, typed=row.data.get("typed", False), **data)


@dataclass
class _Plan:
    draft: Draft
    data: Entry
    problems: list[Entry]
    notes: list[Entry]
    match_key: str = ""
    skip: Entry | None = None


def check_drafts(
    *,
    organization: Organization,
    batch: Batch,
    drafts: Sequence[Draft],
    allocator: NameAllocator,
    seen: dict[str, int],
) -> list[BatchRow]:
    """Rows, not saved, that say what will become of each draft, with every problem of every row at once.

    ``seen`` maps the addresses of earlier rows to their number, and grows. A handful of queries for any number
    of drafts.
    """
    plans = [_plan(draft) for draft in drafts]
    _skip_known(organization, plans)
    for plan in plans:
        if not plan.match_key or plan.skip is not None:
            continue
        # A row that can't be carried out doesn't stand in the way of a later one that can.
        first = seen.get(plan.match_key) if plan.problems else seen.setdefault(plan.match_key, plan.draft.number)
        if first not in (None, plan.draft.number):
            plan.skip = {"code": "same_as_row", "facts": {"row": first}}
    _choose_names(organization, plans, allocator)
    _note_new_departments(organization, plans)
    return [_row(organization, batch, plan) for plan in plans]


def _plan(draft: Draft) -> _Plan:
    plan = _Plan(
        draft=draft,
        data={
            **{name: storable(trim(getattr(draft, name))) for name in FIELDS},
            "typed": draft.typed,
            "password": draft.password,
        },
        problems=list(draft.problems),
        notes=list(draft.notes),
    )
    mailbox = read_mailbox(draft.email)
    if mailbox.problem is not None:
        _refuse(plan, "email", mailbox.problem)
    else:
        plan.data["email"] = mailbox.address
        plan.match_key = same_address_key(mailbox.address)
        if not (draft.first_name or draft.last_name):
            draft.first_name, draft.last_name = mailbox.first_name, mailbox.last_name
    for name in ("first_name", "last_name", "job_title"):
        try:
            plan.data[name], notes = tidy_name(getattr(draft, name))
            plan.notes += [{"field": name, **note} for note in notes]
        except Problem as problem:
            _refuse(plan, name, problem)
    try:
        names = [check_department_name(name) for name in split_path(draft.department)]
        plan.data["department"] = " / ".join(name for name in names if name)
        if len(names) > Department.MAX_DEPTH:
            plan.problems.append(
                {"field": "department", "code": "department_deep", "facts": {"depth": Department.MAX_DEPTH}}
            )
    except Problem as problem:
        _refuse(plan, "department", problem)
    if named := plan.data["language"]:
        plan.data["language"] = read_language(named) or ""
        if not plan.data["language"]:
            # No reason to keep anybody out: a directory may name languages that we have not.
            plan.notes.append({"field": "language", "code": "language_unknown", "facts": {"text": named[:50]}})
    return plan


def _refuse(plan: _Plan, name: str, problem: Problem) -> None:
    plan.problems.append({"field": name, **problem.as_json()})


def _skip_known(organization: Organization, plans: Sequence[_Plan]) -> None:
    keys = [plan.match_key for plan in plans if plan.match_key]
    members = Member.objects.of(organization).present().annotate(key=Lower("email")).filter(key__in=keys)
    known = {key: {"code": "already_member", "facts": {}} for key in members.values_list("key", flat=True)}
    invitations = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    for key in invitations.annotate(key=Lower("email")).filter(key__in=keys).values_list("key", flat=True):
        known.setdefault(key, {"code": "already_invited", "facts": {}})
    for plan in plans:
        plan.skip = known.get(plan.match_key)
    _skip_left(organization, [plan for plan in plans if plan.skip is None and not plan.draft.typed])


def _skip_left(organization: Organization, plans: Sequence[_Plan]) -> None:
    """What names somebody who has left, by Skype Name and address, is about them, and about nobody new."""
    names = {name.lower() for plan in plans if (name := plan.data["skype_name"])}
    left = Member.objects.of(organization).filter(state=Member.State.LEFT).annotate(name=Lower("user__skype_name"))
    addresses = dict(left.filter(name__in=names).values_list("name", "email"))
    for plan in plans:
        address = addresses.get(plan.data["skype_name"].lower())
        # Of whom was forgotten there is no address.
        if address is not None and same_address_key(address) == plan.match_key:
            plan.skip = {"code": "has_left", "facts": {}}


def _choose_names(organization: Organization, plans: Sequence[_Plan], allocator: NameAllocator) -> None:
    wanted: list[tuple[_Plan, str]] = []
    for plan in plans:
        if plan.skip is not None:
            # By it whoever has left is known again when the row is looked at again.
            if plan.skip["code"] != "has_left":
                plan.data["skype_name"] = ""
        elif plan.draft.typed:
            _check_typed_name(plan, allocator)
        else:
            name, notes = propose_skype_name(
                wanted=plan.draft.skype_name,
                address=plan.data["email"],
                first_name=plan.data["first_name"],
                last_name=plan.data["last_name"],
                company=organization.name,
            )
            plan.notes += [{"field": "skype_name", **note} for note in notes]
            wanted.append((plan, name))
    given = allocator.claim([name for _plan, name in wanted])
    for (plan, name), free in zip(wanted, given, strict=True):
        plan.data["skype_name"] = free
        if free != name:
            plan.notes.append({"field": "skype_name", "code": "skype_name_numbered", "facts": {"given": name}})


def _check_typed_name(plan: _Plan, allocator: NameAllocator) -> None:
    try:
        name = check_skype_name(plan.draft.skype_name)
    except Problem as problem:
        _refuse(plan, "skype_name", problem)
        return
    plan.data["skype_name"] = name
    free = allocator.claim([name])[0]
    if free != name:
        plan.problems.append({"field": "skype_name", "code": "skype_name_taken", "facts": {"free": free}})


def _note_new_departments(organization: Organization, plans: Sequence[_Plan]) -> None:
    paths = {plan.data["department"].lower() for plan in plans if plan.data["department"]}
    known = Department.objects.filter(organization=organization).annotate(key=Lower("path")).filter(key__in=paths)
    existing = set(known.values_list("key", flat=True))
    for plan in plans:
        path = plan.data["department"]
        # Only where it will happen: neither with a row that is skipped, nor with one that waits for a correction.
        if path and path.lower() not in existing and not plan.skip and not plan.problems:
            plan.notes.append({"field": "department", "code": "department_new", "facts": {}})


def _row(organization: Organization, batch: Batch, plan: _Plan) -> BatchRow:
    if plan.skip is not None:
        outcome, notes = Outcome.SKIPPED, [plan.skip]
    else:
        outcome, notes = (Outcome.PROBLEM if plan.problems else Outcome.READY), plan.notes
    return BatchRow(
        organization_id=organization.pk,
        batch_id=batch.pk,
        number=plan.draft.number,
        data=plan.data,
        outcome=outcome,
        problems=[] if plan.skip else plan.problems,
        notes=notes,
        match_key=plan.match_key,
    )


def match_key_of(draft: Draft) -> str:
    """What rows of one batch must not share: the folded address, "" when there is none."""
    mailbox = read_mailbox(draft.email)
    return "" if mailbox.problem else same_address_key(mailbox.address)


def names_in_use(others: QuerySet[BatchRow]) -> Callable[[Collection[str]], set[str]]:
    """Asks which Skype Names an account has, or will have by one of the rows ``others`` of a batch."""
    waiting = others.filter(outcome__in=[Outcome.READY, Outcome.PROBLEM]).annotate(chosen=Lower(KT("data__skype_name")))

    def taken(names: Collection[str]) -> set[str]:
        chosen = waiting.filter(chosen__in=list(names))
        return taken_skype_names(names) | set(chosen.values_list("chosen", flat=True))

    return taken
