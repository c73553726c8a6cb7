"""The members list and the pages beside it: what they cost at 1,000,000 members against 1,000.

A page is compared with the same page of the small organization, or with its full page of everybody at the same
depth where fewer people match there: fifty rows against two would say nothing about the way they are found. SCALE is
that of the large one; the small one always has 1,000, of whom every list that is compared has a full page.
"""

import gzip
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from bench import tables2
from bench.measure import Figure
from credit.funding import fund
from credit.ledger import Move, account_of, accounts_of, post
from members.access import Actor
from members.audit import Action, record
from members.crowd import Tongue, add_crowd, tidy_tables
from members.models import Department, Member, Organization, User
from members.newcomers import sorting_of
from members.selectors.joined import JOINED
from members.selectors.members import ORDERS, TABS, MembersQuery
from members.services.demo import ENGLISH, FRENCH, SWEDISH
from skypemgr.lists import Ordering, page_url
from skypemgr.row_files import FileKind

SIZES = {"small": 1_000, "middle": 10_000, "large": 1_000_000}
LEAST = 1_000
ROUNDS = 3
# What seems to cost too much is tried so many times before it is believed.
TRIES = 4
PASSWORD = "three quiet herons wait"  # noqa: S105


@dataclass
class Company:
    """An organization, and a browser in which its administrator has signed in."""

    organization: Organization
    client: Client

    def url(self, path: str, query: dict[str, str] | None = None) -> str:
        return f"/{self.organization.slug}/{path}" + (f"?{urlencode(query)}" if query else "")


@dataclass
class Cost:
    """The least of several tries: seconds of processor time, of the database and of this process."""

    database: float
    processor: float

    def least(self, again: "Cost") -> "Cost":
        return Cost(min(self.database, again.database), min(self.processor, again.processor))


NOTHING = Cost(0, 0)


def measure(scale: float) -> Iterable[Figure]:
    settings.ALLOWED_HOSTS.append("testserver")
    call_command("collectstatic", interactive=False, verbosity=0)
    companies = {name: _company(name, max(LEAST, round(number * scale))) for name, number in SIZES.items()}
    tidy_tables()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) credit_ledgeraccount")
    small, middle, large = companies.values()
    yield from _pages(small, middle, 1.5, "10,000")
    yield from _pages(small, large, 1.5, "1,000,000")
    yield from _searches(small, large)
    yield from _narrowed(small, large)
    yield from _others(small, large)
    yield from _exports(large)
    yield from _markup(large)
    yield from tables2.compare(large.organization, large.client)


# Filling


def _company(name: str, number: int) -> Company:
    organization, made = Organization.objects.get_or_create(
        slug=f"bench-{name}",
        defaults={
            "name": f"Bench {name}",
            "country": "SE",
            "currency": "SEK",
            "time_zone": "Europe/Stockholm",
            "letters_released_at": timezone.now(),
        },
    )
    if made:
        _people(organization, number)
        _credit(organization)
    founder = User.objects.get(skype_name=f"bench.{name}")
    client = Client()
    client.force_login(founder)
    return Company(organization, client)


def _credit(organization: Organization) -> None:
    """Credit for everybody but one in 2,000; as many have talked away more than they had."""
    fund(organization=organization, actor=Actor.system(), amount=Decimal(10**9), key=uuid4())
    wallet, usage = account_of(organization, "wallet"), account_of(organization, "usage")
    people = Member.objects.of(organization).order_by("pk")
    for start in range(0, people.count(), 10_000):
        some = [member for number, member in enumerate(people[start : start + 10_000], start) if number % 2_000 != 7]
        with transaction.atomic():
            accounts = accounts_of(organization, some)
            given = [Move(wallet, accounts[one.pk], Decimal(25), uuid4()) for one in some if one.pk % 2_000 != 9]
            owed = [Move(accounts[one.pk], usage, Decimal(2), uuid4()) for one in some if one.pk % 2_000 == 9]
            post(organization=organization, operation="allocation", moves=given, actor=Actor.system())
            post(organization=organization, operation="charge", moves=owed, actor=Actor.system())


def _people(organization: Organization, number: int) -> None:
    user = User.objects.create(
        skype_name=f"bench.{organization.slug.removeprefix('bench-')}",
        email="founder@bench.example",
        email_verified_at=timezone.now(),
        first_name="Zoé",
        last_name="Boss",
        language="en",
        kind=User.Kind.PERSONAL,
    )
    founder = Member.objects.create(
        organization=organization,
        user=user,
        email=user.email,
        role=Member.Role.ADMINISTRATOR,
        state=Member.State.ACTIVE,
        joined_at=timezone.now(),
        **sorting_of(user, organization, user.email),
    )
    record(
        organization=organization,
        actor=Actor.of_member(founder),
        action=Action.ORGANIZATION_SET_UP,
        subject=organization,
        member=founder,
    )
    add_crowd(
        organization=organization,
        founder=founder,
        number=number - 1,
        tongues=[
            Tongue(first_names=first.split(), last_names=last.split(), language="")
            for first, last in (FRENCH, SWEDISH, ENGLISH)
        ],
        password=PASSWORD,
    )


# Pages


def _pages(small: Company, large: Company, most: float, size: str) -> Iterator[Figure]:
    # The full page that everybody has there in the small one.
    base = {
        (order.name, place): _cost(partial(_get, small, _page_query(small, {}, order, place)))
        for order, place in product(ORDERS, PLACES)
    }
    for label, keys in FILTERS.items():
        worst = {"database": (0.0, ""), "processor": (0.0, "")}
        pairs = zip(keys(small.organization), keys(large.organization), strict=True)
        for (here, there), order, place in product(list(pairs), ORDERS, PLACES):
            own = partial(_get, small, _page_query(small, here, order, place))
            other = partial(_get, large, _page_query(large, there, order, place))
            ratios = _ratios(own, other, base[order.name, place], most)
            for what in worst:
                worst[what] = max(worst[what], (ratios[what], f"{urlencode(there)} {order.name} {place}"))
        for what, (ratio, where) in worst.items():
            yield Figure(name=f"{size}, {label}: {what}; worst {where}", value=ratio, most=most)


def _states(_organization: Organization) -> list[dict[str, str]]:
    return [{"state": state} for state in TABS]


def _roles(_organization: Organization) -> list[dict[str, str]]:
    return [{"role": role} for role in Member.Role.values]


def _kinds(_organization: Organization) -> list[dict[str, str]]:
    return [{"kind": kind} for kind in User.Kind.values]


def _departments(organization: Organization) -> list[dict[str, str]]:
    """A hundred departments, a studio of twenty-five, one with nothing below, and none."""
    paths = ["Europe du Nord", "Europe du Sud / Studio Lyon", "Europe du Nord / Studio Leeds / Qualité"]
    keys = dict(Department.objects.filter(organization=organization).values_list("path", "pk"))
    return [*({"department": str(keys[path])} for path in paths), {"department": "none"}]


FILTERS: dict[str, Callable[[Organization], list[dict[str, str]]]] = {
    "by state": _states,
    "by department": _departments,
    "by role": _roles,
    "by kind": _kinds,
}
PLACES = ("first", "middle", "last")


def _page_query(company: Company, filters: dict[str, str], order: Ordering, place: str) -> dict[str, str]:
    query = QueryDict(mutable=True)
    query.update(filters | {"sort": order.name})
    if place != "first":
        members = MembersQuery.read(company.organization, query).matching().order_by(*order.fields)
        row = _row(members, place)
        if row is not None:
            return dict(QueryDict(page_url(query, order, "after", row).removeprefix("?")).items())
    return dict(query.items())


def _row(rows: QuerySet[Any], place: str) -> Any:
    """The row in the middle, or the one that is followed by a last full page."""
    number = rows.count()
    return rows[number // 2 if place == "middle" else max(number - 51, 0)] if number > 100 else None


def _searches(small: Company, large: Company) -> Iterator[Figure]:
    [somewhere, *_rest] = _departments(large.organization)
    [here, *_others] = _departments(small.organization)
    for label, search in {
        "common last name": "vasseur",
        "common first name, late in the list": "yann",
        "rare": "agathe even-even",
        "none": "xyzzyx",
        "two letters": "ka",
        "two letters, none": "xq",
        "of an address": "1234@bench",
    }.items():
        for sort in ("name", "newest"):
            query = {"q": search, "sort": sort}
            less, more = _costs(partial(_get, small, query), partial(_get, large, query))
            yield Figure(name=f"search, {label}, {sort}: database", value=more.database / less.database, most=8)
    query = {"q": "vasseur"}
    less, more = _costs(partial(_get, small, query | here), partial(_get, large, query | somewhere))
    yield Figure(name="search, common, with department: database", value=more.database / less.database, most=8)


def _narrowed(small: Company, large: Company) -> Iterator[Figure]:
    """What no order of the list knows. Everybody but few has credit, so that those few are far apart."""
    base = {order.name: _cost(partial(_get, small, {"sort": order.name})) for order in ORDERS if order.name != "-name"}
    some = [{"joined": choice} for choice, _label in JOINED]
    for chosen, sort in product([*some, {"credit": "overdrawn"}, {"credit": "50"}], base):
        query = {**chosen, "sort": sort}
        own, other = partial(_get, small, query), partial(_get, large, query)
        ratio = _ratios(own, other, base[sort], 8)["database"]
        yield Figure(name=f"filter {urlencode(query)}: database", value=ratio, most=8)
    _less, more = _costs(lambda: None, partial(_get, large, {"credit": "5"}))
    yield Figure(
        name="who never got any credit, of all who did: database, ms",
        value=more.database * 1000,
        most=2_500,
        unit="ms",
    )


def _others(small: Company, large: Company) -> Iterator[Figure]:
    person = Member.objects.filter(organization=large.organization).order_by("pk")[500]
    someone = Member.objects.filter(organization=small.organization).order_by("pk")[100]
    # The page of the large organization, and the full page of the small one that it is compared with.
    for label, path, other in [
        ("overview", "", ""),
        ("departments", "members/departments/", ""),
        ("invitations", "members/invitations/", ""),
        ("invitations that expired", "members/invitations/?state=expired", "members/invitations/"),
        ("invitations, accepted", "members/invitations/?state=accepted", ""),
        ("imports", "members/imports/", ""),
        ("audit log", "audit/", ""),
        ("audit log, one action", "audit/?action=member.blocked", "audit/?action=member.added"),
        ("a member", f"members/@{person.user.skype_name}/", f"members/@{someone.user.skype_name}/"),
        (
            "a member's history",
            f"members/@{person.user.skype_name}/history/",
            f"members/@{someone.user.skype_name}/history/",
        ),
    ]:
        own, large_one = partial(_open, small, other or path), partial(_open, large, path)
        yield Figure(name=f"{label}: processor", value=_ratios(own, large_one, NOTHING, 1.5)["processor"], most=1.5)
        yield Figure(name=f"{label}: database, ms", value=_cost(large_one).database * 1000, most=100, unit="ms")
    for label, path in [
        ("invitations, searched", "members/invitations/?q=vasseur"),
        ("invitations, searched in vain", "members/invitations/?state=accepted&q=xyzzyx"),
        ("audit log, searched", "audit/?q=vasseur"),
        ("audit log, searched in vain", "audit/?q=xyzzyx"),
        ("what moving everybody would do", "members/move/?all=1&to=none"),
        ("what blocking all who are found would do", "members/block/?all=1&q=yann"),
    ]:
        _less, more = _costs(lambda: None, partial(_open, large, path))
        yield Figure(name=f"{label}: database, ms", value=more.database * 1000, most=2_500, unit="ms")


def _exports(large: Company) -> Iterator[Figure]:
    number = Member.objects.of(large.organization).count()
    for kind in FileKind:
        before = _megabytes()
        begun = time.perf_counter()
        size = sum(map(len, large.client.get(large.url(f"members/export.{kind}")).streaming_content))
        seconds = time.perf_counter() - begun
        yield Figure(
            name=f"the {kind} file of {number:,} members ({size / 1e6:.0f} MB): growth",
            value=_megabytes() - before,
            most=60,
            unit="MB",
        )
        yield Figure(name="the same: members a second", value=number / seconds, least=1_000, unit="/s")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _markup(large: Company) -> Iterator[Figure]:
    page = large.client.get(large.url("members/")).content
    yield Figure(name="fifty rows as HTML", value=len(page) / 1024, most=40, unit="KiB")
    yield Figure(name="the same, compressed", value=len(gzip.compress(page, 6)) / 1024, most=8, unit="KiB")


# Measuring


def _get(company: Company, query: dict[str, str]) -> None:
    _open(company, company.url("members/", query).partition("/")[2].partition("/")[2])


def _open(company: Company, path: str) -> None:
    response = company.client.get(company.url(path))
    assert response.status_code == 200, (path, response.status_code)


def _cost(work: Callable[[], None]) -> Cost:
    return _costs(work, lambda: None)[0]


def _ratios(less: Callable[[], None], more: Callable[[], None], base: Cost, most: float) -> dict[str, float]:
    """How many times as much ``more`` costs as ``less``, or as ``base`` where that is dearer."""
    own, other = _costs(less, more)
    for _again in range(TRIES):
        ratios = {
            what: getattr(other, what) / max(getattr(own, what), getattr(base, what))
            for what in ("database", "processor")
        }
        if max(ratios.values()) <= most:
            break
        again, other_again = _costs(less, more)
        own, other = own.least(again), other.least(other_again)
    return ratios


def _costs(less: Callable[[], None], more: Callable[[], None]) -> tuple[Cost, Cost]:
    """What both cost: in turn, and of each the best of several tries, since what else runs only adds to it."""
    backend = _backend()
    found: tuple[list[Cost], list[Cost]] = ([], [])
    for _round in range(ROUNDS):
        for work, costs in zip((less, more), found, strict=True):
            database, processor = _seconds_of(backend), time.process_time()
            work()
            costs.append(Cost(_seconds_of(backend) - database, time.process_time() - processor))
    own, other = (Cost(min(cost.database for cost in costs), min(cost.processor for cost in costs)) for costs in found)
    return own, other


def _backend() -> Path:
    """What the kernel knows of the process of the database that serves us."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(process,)] = cursor.fetchall()
    return Path(f"/proc/{process}/schedstat")


def _seconds_of(process: Path) -> float:
    """How long a process has been computing. Of a busy machine the clock on the wall would tell nothing."""
    return int(process.read_text().split()[0]) / 1e9
