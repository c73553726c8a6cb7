"""What was bought, and what is waiting for its payment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from credit.models import BillingProfile, Invoice, Order, VatCheck
from members.models import Organization
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

CHANGED = Ordering("changed", ("-changed_at", "-id"))
NEWEST = Ordering("newest", ("-created_at", "-id"))
OLDEST = Ordering("oldest", ("created_at", "id"))
MOST_SHOWN = 5
# Of badges.
LAMPS = {"waiting": "waiting", "paid": "success", "canceled": "off", "expired": "off", "failed": "danger"}


def lamp_of(order: Order) -> str:
    """The kind of badge that shows the state of an order."""
    return LAMPS.get(order.state, "info")


@dataclass(frozen=True)
class PurchasesQuery:
    """What a query string asks of the purchases of an organization; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    search: str
    since: date | None
    filters: Sequence[ChoiceFilter]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "PurchasesQuery":
        states = [
            ChoiceFilter(
                key="state",
                label=_("State"),
                every=_("Every state"),
                choices=Order.State.choices,
                chosen=read_choice(query, "state", Order.State.values),
            ),
            ChoiceFilter(
                key="method",
                label=_("Paid by"),
                every=_("Every way to pay"),
                choices=Order.Method.choices,
                chosen=read_choice(query, "method", Order.Method.values),
            ),
        ]
        return cls(organization, query, read_text(query), read_day(query, "since"), states)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.since or any(entry.chosen for entry in self.filters))

    def page(self) -> Page[Order]:
        found = self.matching()
        total = count_up_to(found)
        text = ngettext_lazy("{shown} of {total} order, newest first", "{shown} of {total} orders, newest first")
        return keyset_page(_whole(found), order=NEWEST, query=self.query, text=text % total.number, total=total)

    def chunks(self) -> Iterator[list[Order]]:
        """Every order the query asks for, newest first, some at a time."""
        return keyset_chunks(_whole(self.matching()), order=NEWEST)

    def matching(self) -> QuerySet[Order]:
        orders = Order.objects.filter(organization=self.organization)
        if self.search:
            number = Q(number__icontains=self.search)
            orders = orders.filter(
                number | Q(pk__in=Invoice.objects.filter(number, organization=self.organization).values("order"))
            )
        if self.since:
            orders = orders.filter(
                created_at__gte=datetime.combine(self.since, time(), timezone.get_current_timezone())
            )
        for entry in self.filters:
            if entry.chosen:
                orders = orders.filter(**{entry.key: entry.chosen})
        return orders


def _whole(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.prefetch_related(Prefetch("invoices", Invoice.objects.order_by("pk")))


def list_waiting(organization: Organization) -> list[Order]:
    """The newest orders of an organization that wait for a bank transfer, a few."""
    waiting = Order.objects.filter(
        organization=organization, state=Order.State.WAITING, method=Order.Method.BANK_TRANSFER
    )
    return list(waiting.order_by("-pk")[:MOST_SHOWN])


def page_of_waiting(query: QueryDict) -> Page[Order]:
    """Orders of every organization for operators: those that wait for a transfer, or whatever a search finds."""
    orders = Order.objects.filter(method=Order.Method.BANK_TRANSFER)
    if search := read_text(query):
        orders = orders.filter(Q(number__icontains=search) | Q(organization__name__icontains=search))
    else:
        orders = orders.filter(state=Order.State.WAITING)
    total = count_up_to(orders)
    text = ngettext_lazy("{shown} of {total} order, oldest first", "{shown} of {total} orders, oldest first")
    return keyset_page(
        orders.select_related("organization"), order=OLDEST, query=query, text=text % total.number, total=total
    )


def page_of_vat_ids(query: QueryDict) -> Page[BillingProfile]:
    """Organizations with a VAT id, for operators, the latest change first; ``valid`` is what the newest check found."""
    profiles = BillingProfile.objects.exclude(vat_id="").select_related("organization")
    if search := read_text(query):
        profiles = profiles.filter(Q(vat_id__icontains=search) | Q(organization__name__icontains=search))
    newest = VatCheck.objects.filter(organization=OuterRef("organization"), vat_id=OuterRef("vat_id")).order_by("-pk")
    total = count_up_to(profiles)
    text = ngettext_lazy("{shown} of {total} VAT id, newest first", "{shown} of {total} VAT ids, newest first")
    return keyset_page(
        profiles.annotate(
            valid=Subquery(newest.values("valid")[:1]), checked_on=Subquery(newest.values("checked_on")[:1])
        ),
        order=CHANGED,
        query=query,
        text=text % total.number,
        total=total,
    )
