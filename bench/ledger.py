"""The ledger against the least that a transfer can be, and against the ways in which it is usually written."""

import statistics
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import cycle
from uuid import uuid4

from django.db import connection, models, transaction
from django.utils import timezone

from bench.measure import Client, Figure, at_once, ratio, seconds
from credit.charging import charge
from credit.funding import fund
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerAccount, Transfer
from credit.services.allocation import allocate_credit
from credit.verification import find_differences
from members.access import Actor
from members.crowd import Tongue, add_crowd, tidy_tables
from members.models import Member, Organization
from tests.factories import MemberFactory, OrganizationFactory

SYSTEM = Actor.system()
CENT = Decimal("0.01")
CLIENTS = 8
# Two accounts, a row of what happened, and amounts as ours are: nothing is asked, nothing is kept from happening
# twice. What everybody wants comes last.
LEAST = """
CREATE TABLE least_account (id bigint PRIMARY KEY, balance numeric(16, 4) NOT NULL) WITH (fillfactor = 50);
CREATE TABLE least_transfer (
    id bigserial PRIMARY KEY, source bigint NOT NULL, target bigint NOT NULL, amount numeric(16, 4) NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO least_account SELECT number, 1000000000 FROM generate_series(1, 10000) AS number;
CREATE FUNCTION least_post(source bigint, target bigint, moved numeric) RETURNS void LANGUAGE sql AS $$
    UPDATE least_account SET balance = balance + moved WHERE id = target;
    INSERT INTO least_transfer (source, target, amount) VALUES (source, target, moved);
    UPDATE least_account SET balance = balance - moved WHERE id = source;
$$;
"""
# Accounts and transfers as an ORM would have them.
USUAL = """
CREATE TABLE usual_account (id bigint PRIMARY KEY, balance numeric(16, 4) NOT NULL);
CREATE TABLE usual_transfer (
    id bigserial PRIMARY KEY, source_id bigint NOT NULL REFERENCES usual_account,
    target_id bigint NOT NULL REFERENCES usual_account, amount numeric(16, 4) NOT NULL,
    key uuid NOT NULL UNIQUE, at timestamptz NOT NULL
);
INSERT INTO usual_account SELECT number, 1000000 FROM generate_series(1, 10000) AS number;
"""
# What each account's transfers add up to: the least that whoever wants to know must read.
SUMS = """
SELECT account, sum(change) FROM (
    SELECT source_id AS account, -amount AS change FROM credit_transfer
    UNION ALL SELECT target_id, amount FROM credit_transfer
) AS moved GROUP BY account
"""
WALLET = 1
TONGUES = [Tongue(first_names=("Ada", "Björn"), last_names=("Berg", "Dubois"), language="")]


class UsualAccount(models.Model):
    balance = models.DecimalField(max_digits=16, decimal_places=4)

    class Meta:
        app_label, db_table, managed = "bench", "usual_account", False


class UsualTransfer(models.Model):
    source = models.ForeignKey(UsualAccount, models.PROTECT, related_name="+")
    target = models.ForeignKey(UsualAccount, models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=16, decimal_places=4)
    key = models.UUIDField(unique=True)
    at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "usual_transfer", False


def measure(scale: float) -> Iterator[Figure]:
    size = max(200, int(10_000 * scale))
    with connection.cursor() as cursor:
        cursor.execute(LEAST)
    # As many accounts as the least has: a few would all be on one page.
    everybody = crowded("bench-many", size * 10)
    one = Company("bench-one", 200)
    for work in (least, one.post, one.allocate):
        _times(work, 100)
    tidy()
    times = max(20, int(500 * scale))
    yield Figure(
        name="posting one, of the least function", value=ratio(least, one.post, rounds=9, repeat=times), least=0.75
    )
    yield Figure(
        name="allocating by the service, of the least function",
        value=ratio(least, one.allocate, rounds=9, repeat=times),
        least=0.30,
    )
    many = [Company(f"bench-{number}", 25) for number in range(CLIENTS)]
    yield Figure(
        name=f"{CLIENTS} clients, each with a wallet of its own, of the least function",
        value=together([least_of(number) for number in range(CLIENTS)], [each.post for each in many], times),
        least=0.50,
    )
    shared = [one.share(number) for number in range(CLIENTS)]
    yield Figure(
        name=f"{CLIENTS} clients with one wallet, of one row at its limit",
        value=together([least] * CLIENTS, shared, times),
        least=0.60,
    )
    yield from _many(everybody, size)
    yield from _charges(scale)
    yield from _verifying(scale)


class Company:
    """An organization with a full wallet, whose members get a cent each in turn."""

    def __init__(self, slug: str, size: int) -> None:
        self.organization = organization_of(slug, size)
        self.members = list(Member.objects.of(self.organization).present().order_by("pk"))
        self.accounts = list(accounts_of(self.organization, self.members).values())
        self.wallet = account_of(self.organization, LedgerAccount.Kind.WALLET)
        self.turn, self.people = cycle(self.accounts), cycle(self.members)
        fund(organization=self.organization, actor=SYSTEM, amount=Decimal(10**9), key=uuid4())

    def post(self) -> None:
        self._post_to(next(self.turn))

    def share(self, number: int) -> Callable[[], None]:
        """Posts to members whom no other client posts to."""
        turn = cycle(self.accounts[number::CLIENTS])
        return lambda: self._post_to(next(turn))

    def _post_to(self, account: int) -> None:
        move = Move(self.wallet, account, CENT, uuid4())
        post(organization=self.organization, operation=Transfer.Operation.ALLOCATION, moves=[move], actor=SYSTEM)

    def allocate(self) -> None:
        allocate_credit(
            actor=SYSTEM, organization=self.organization, members=[next(self.people)], amount=CENT, key=uuid4()
        )


_targets = cycle(range(CLIENTS + 1, 10_001))


def least() -> None:
    _least(1, next(_targets))


def least_of(number: int) -> Callable[[], None]:
    turn = cycle(range(1_000 + number, 10_001, CLIENTS))
    return lambda: _least(number + 1, next(turn))


def _least(source: int, target: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT least_post(%s, %s, %s)", [source, target, CENT])


def together(least: list[Callable[[], None]], ours: list[Callable[[], None]], times: int) -> float:
    """How fast ours are of the least, with a client for each at once: the median of five rounds."""
    found = []
    for turn in range(5):
        first, second = (ours, least) if turn % 2 else (least, ours)
        took = {id(works): at_once([_client(work, times) for work in works]) for works in (first, second)}
        found.append(took[id(least)] / took[id(ours)])
    return statistics.median(found)


def _client(work: Callable[[], None], times: int) -> Client:
    return partial(_times, work, 20), partial(_times, work, times)


def _times(work: Callable[[], None], times: int) -> None:
    for _ in range(times):
        work()


def _many(crowd: "Crowd", size: int) -> Iterator[Figure]:
    with connection.cursor() as cursor:
        cursor.execute(USUAL)
    few = list(range(2, max(50, size // 20)))
    usually = seconds(lambda: one_by_one(few)) / len(few)
    times = [crowd.seconds_for(size) for _ in range(5)]
    yield Figure(
        name=f"allocating to {size:,}, quicker than row by row by",
        value=usually * size / statistics.median(times),
        least=50,
    )
    larger = [crowd.seconds_for(size * 10) for _ in range(5)]
    yield Figure(
        name=f"allocating to {size * 10:,}, as long as to {size:,}",
        value=statistics.median(larger) / statistics.median(times),
        most=16,
    )


class Crowd:
    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        keys = Member.objects.of(organization).order_by("pk").values_list("pk", flat=True)
        self.accounts = list(accounts_of(organization, keys).values())
        self.wallet = account_of(organization, LedgerAccount.Kind.WALLET)
        fund(organization=organization, actor=SYSTEM, amount=Decimal(10**9), key=uuid4())

    def seconds_for(self, number: int) -> float:
        key = uuid4()
        moves = [Move(self.wallet, account, CENT, key) for account in self.accounts[:number]]
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE credit_ledgeraccount")
        return seconds(
            lambda: post(
                organization=self.organization, operation=Transfer.Operation.ALLOCATION, moves=moves, actor=SYSTEM
            )
        )


def crowded(slug: str, size: int) -> Crowd:
    return Crowd(organization_of(slug, size))


def organization_of(slug: str, size: int) -> Organization:
    """An organization with many people, made at once."""
    organization = OrganizationFactory(slug=slug)
    founder = MemberFactory(admin=True, organization=organization, user__password="")
    add_crowd(organization=organization, founder=founder, number=size, tongues=TONGUES, password=uuid4().hex)
    return organization


def tidy() -> None:
    """What autovacuum would have done by now."""
    tidy_tables()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE credit_ledgeraccount, credit_transfer, members_auditentry")


def one_by_one(accounts: list[int]) -> None:
    """A transaction for each, with two rows locked, changed and saved, as it is written with an ORM."""
    for target in accounts:
        with transaction.atomic():
            pair = UsualAccount.objects.select_for_update().filter(pk__in=[WALLET, target]).order_by("pk")
            held = {account.pk: account for account in pair}
            held[WALLET].balance -= CENT
            held[target].balance += CENT
            for account in held.values():
                account.save(update_fields=["balance"])
            UsualTransfer.objects.create(
                source_id=WALLET, target_id=target, amount=CENT, key=uuid4(), at=timezone.now()
            )


def _charges(scale: float) -> Iterator[Figure]:
    size = max(100, int(1_000 * scale))
    company = Company("bench-calls", 200)
    usage = account_of(company.organization, LedgerAccount.Kind.USAGE)

    def calls(number: int) -> list[Move]:
        return [Move(next(company.turn), usage, CENT, uuid4()) for _ in range(number)]

    def one_after_the_other() -> None:
        for move in calls(size):
            charged([move])

    @transaction.atomic
    def charged(moves: list[Move]) -> None:
        charge(organization=company.organization, moves=moves, actor=SYSTEM)

    yield Figure(
        name=f"charging {size:,} calls at once, quicker than one by one by",
        value=ratio(one_after_the_other, lambda: charged(calls(size))),
        least=8,
    )


def _verifying(scale: float) -> Iterator[Figure]:
    crowd = Crowd(Organization.objects.get(slug="bench-many"))
    while Transfer.objects.count() < 1_000_000 * scale:
        crowd.seconds_for(100_000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE credit_transfer")

    def add_up() -> None:
        with connection.cursor() as cursor:
            cursor.execute(SUMS)
            cursor.fetchall()

    yield Figure(
        name="verifying the ledger, of adding up its transfers",
        value=ratio(add_up, lambda: list(find_differences())),
        least=0.5,
    )
