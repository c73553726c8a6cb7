"""The ledger against the least that a transfer can be, and against the ways in which it is usually written."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from uuid import uuid4

from django.db import connection

from bench.measure import Figure, ratio
from credit.ledger import Move, account_of, accounts_of, post
from members.access import Actor
from tests.factories import MemberFactory, OrganizationFactory

# Two accounts and a row of what happened: nothing is asked, nothing is kept from happening twice.
MINIMAL = """
CREATE TABLE least_account (id bigint PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE least_transfer (
    id bigserial PRIMARY KEY, source bigint NOT NULL, target bigint NOT NULL, amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO least_account SELECT number, 1000000000000 FROM generate_series(1, 10000) AS number;
CREATE FUNCTION least_post(source bigint, target bigint, moved bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE least_account SET balance = balance + moved WHERE id = target;
    INSERT INTO least_transfer (source, target, amount) VALUES (source, target, moved);
    UPDATE least_account SET balance = balance - moved WHERE id = source;
$$;
"""


def measure(scale: float) -> Iterator[Figure]:
    with connection.cursor() as cursor:
        cursor.execute(MINIMAL)
    company = Company("bench-ledger", 200)
    times = max(20, int(400 * scale))
    yield Figure(
        name="posting, of the least function",
        value=1 / ratio(company.post_one, least, rounds=9, repeat=times),
        least=0.75,
    )


class Company:
    def __init__(self, slug: str, size: int) -> None:
        self.organization = OrganizationFactory(slug=slug)
        people = MemberFactory.create_batch(size, organization=self.organization)
        self.accounts = list(accounts_of(self.organization, people).values())
        self.turn = cycle(self.accounts)
        self.wallet = account_of(self.organization, "wallet")
        self.actor = Actor.system()
        purchases = account_of(self.organization, "purchases")
        post(
            organization=self.organization,
            operation="purchase",
            moves=[Move(purchases, self.wallet, Decimal(10**9), uuid4())],
            actor=self.actor,
        )

    def post_one(self) -> None:
        move = Move(self.wallet, next(self.turn), Decimal("0.01"), uuid4())
        post(organization=self.organization, operation="allocation", moves=[move], actor=self.actor)


_turn = cycle(range(2, 10_001))


def least() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT least_post(%s, %s, %s)", [1, next(_turn), 1])
