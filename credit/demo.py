"""The credit of the demo company: four weeks of it, made by the verbs that make a real one. Local mode only."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Any
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from credit.charging import charge
from credit.ledger import Move, account_of, accounts_of
from credit.models import Invoice, LedgerAccount, Order, Payment, Transfer
from credit.selectors.balances import wallet_balance
from credit.selectors.spans import zone_of
from credit.sellers import current_seller, day_of
from credit.services.allocation import allocate_credit
from credit.services.billing import change_billing
from credit.services.orders import confirm_order, place_order
from credit.services.recharge import set_auto_recharge
from members.access import Actor
from members.locks import turn_of
from members.models import AuditEntry, Batch, Member, Organization
from members.registry import DemoPart, registry
from skypemgr.clock import database_now

BILLING = {
    "name": "Architectes S.A.",
    "street": "12, rue des Tilleuls",
    "postal_code": "69002",
    "city": "Lyon",
    "country": "FR",
    "vat_id": "FR40303265045",
    "email": "comptabilite@architectes.example",
}
# However large the company is, so many of the first who came have credit.
MOST = 200
# What is recorded of something when it happens, which may be told as if it had been earlier.
MOMENTS: dict[Any, tuple[str, ...]] = {
    Order: ("created_at", "closed_at"),
    Payment: ("received_at",),
    Transfer: ("happened_at", "recorded_at"),
    Batch: ("created_at", "started_at", "finished_at"),
    AuditEntry: ("at",),
}
UNCHANGING = ("credit.Payment:append_only", "credit.Invoice:append_only", "credit.Transfer:append_only")
CALLS_AGO = (22, 20, 18, 16, 14, 11, 9, 7, 5, 2, 1)
CENT = Decimal("0.01")


def register() -> None:
    """Called once at start-up."""
    registry.add(DemoPart(key="credit", order=30, add=add_credit))


def add_credit(organization: Organization) -> None:
    """Give the demo company its credit, unless there is any or was ordered. Raises PermissionDenied elsewhere."""
    if not settings.LOCAL:
        raise PermissionDenied
    with _unsealed(organization):
        if not _has_credit(organization):
            _Story(organization).tell()


def _has_credit(organization: Organization) -> bool:
    return any(model.objects.filter(organization=organization).exists() for model in (Transfer, Order))


class _Story:
    """What happened to the credit of the company, the oldest first."""

    def __init__(self, organization: Organization) -> None:
        present = Member.objects.of(organization).present().select_related("user", "organization").order_by("pk")
        self.organization = organization
        self.people = list(present[:MOST])
        founder = next(member for member in self.people if member.role == Member.Role.ADMINISTRATOR)
        self.founder = Actor.of_member(founder)
        self.callers = [member for member in self.people if member.state == Member.State.ACTIVE]
        # Those who call most.
        self.busy = self.callers[1:-2:3]
        self.chooser = random.Random(7)  # noqa: S311

    def tell(self) -> None:
        organization = self.organization
        with ago(organization, days=26, hour=10):
            change_billing(actor=self.founder, organization=organization, fields=BILLING)
            order = self._order(-(-len(self.people) * 18 // 100) * 100)
        with ago(organization, days=24, hour=9):
            confirm_order(actor=Actor.system(), organization=organization, order=order, amount=order.gross)
        with ago(organization, days=24, hour=11):
            self._allocate(self.people, 10, "First credit")
        with ago(organization, days=24, hour=15):
            self._recharge(self.busy, amount=15, below=5, limit=60)
        for place, days in enumerate(CALLS_AGO):
            with ago(organization, days=days, hour=17):
                self._call(self.callers, most=40)
                self._call(self.busy, most=90)
            if place == 5:
                with ago(organization, days=10, hour=14):
                    self._allocate(self.people[1:2], 25, "Site in Basel")
            if place == 8:
                with ago(organization, days=4, hour=10):
                    self._allocate(self.people[2:7], 8, "Trade fair in Milan")
        self._reach_limits()
        self._order(500)

    def _reach_limits(self) -> None:
        """Today: somebody's limit of this month is reached, and the wallet holds less than another's recharge."""
        *_, suspended, waiting = self.callers
        self._recharge([suspended], amount=10, below=5, limit=20)
        for _time in range(3):
            self._charge([(suspended, Decimal("11.40"))])
        beyond = int(wallet_balance(self.organization)) // 50 * 50 + 50
        self._recharge([waiting], amount=beyond, below=50, limit=beyond * 2)

    def _order(self, amount: int) -> Order:
        return place_order(actor=self.founder, organization=self.organization, amount=Decimal(amount), key=uuid4())

    def _allocate(self, members: Sequence[Member], amount: int, reason: str) -> None:
        allocate_credit(
            actor=self.founder,
            organization=self.organization,
            members=members,
            amount=Decimal(amount),
            key=uuid4(),
            reason=reason,
        )

    def _recharge(self, members: Sequence[Member], *, amount: int, below: int, limit: int) -> None:
        set_auto_recharge(
            actor=self.founder,
            organization=self.organization,
            members=Member.objects.filter(pk__in=[member.pk for member in members]),
            amount=Decimal(amount),
            below=Decimal(below),
            monthly_limit=Decimal(limit),
        )

    def _call(self, members: Sequence[Member], *, most: int) -> None:
        """Somewhat more than half of them talk, for at most so many minutes."""
        rate, fee = Decimal("0.023"), Decimal("0.049")
        talking = [member for member in members if self.chooser.random() < 0.6]
        if talking:
            minutes = [self.chooser.randint(1, most) for _member in talking]
            costs = [(fee + rate * length).quantize(CENT, ROUND_UP) for length in minutes]
            self._charge(list(zip(talking, costs, strict=True)))

    @transaction.atomic(savepoint=False)
    def _charge(self, costs: Sequence[tuple[Member, Decimal]]) -> None:
        accounts = accounts_of(self.organization, [member for member, _cost in costs])
        usage = account_of(self.organization, LedgerAccount.Kind.USAGE)
        moves = [Move(accounts[member.pk], usage, cost, uuid4()) for member, cost in costs]
        charge(organization=self.organization, moves=moves, actor=Actor.system())


@contextmanager
def ago(organization: Organization, *, days: int, hour: int) -> Iterator[None]:
    """Tell of what is done here as if it had been done some days ago at an hour; what is done next must be later."""
    began = min(timezone.now(), database_now())
    yield
    today = began.astimezone(zone_of(organization))
    back = timedelta(days=days) + (today - today.replace(hour=hour, minute=12))
    with transaction.atomic(savepoint=False), pgtrigger.ignore(*UNCHANGING, "members.AuditEntry:append_only"):
        invoices = Invoice.objects.filter(organization=organization, created_at__gte=began)
        invoices.update(created_at=F("created_at") - back, issued_on=day_of(current_seller(), began - back))
        for model, moments in MOMENTS.items():
            for moment in moments:
                of_now = model.objects.filter(organization=organization, **{f"{moment}__gte": began})
                of_now.update(**{moment: F(moment) - back})


@contextmanager
def _unsealed(organization: Organization) -> Iterator[None]:
    """Meanwhile nobody seals the ledger, and nobody else is here."""
    turn = [turn_of("seal", organization.pk)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", turn)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", turn)
