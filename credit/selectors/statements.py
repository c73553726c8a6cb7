"""The statement of an account: what moved its credit, newest first, with the balance after each.

A line is found by its number in its account, so a page costs the same in an account of a million transfers. Where a
filter finds little, a page looks at so many of them and no more, and says how far back it has looked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from credit.models import LedgerAccount, Transfer
from credit.selectors.history import balance_after, last_before, recorded_at
from credit.selectors.spans import Span, zone_of
from members.models import Member, Organization
from members.selectors.audit import list_actors
from members.tenures import ALWAYS, Stint, know_predecessors
from skypemgr.lists import PAGE_SIZE, ChoiceFilter, change_query, read_choice, read_number
from skypemgr.templatetags.look import count, day

# So many transfers a page looks at for those that a filter wants.
WINDOW = 50_000
# And so many a file at a time.
CHUNK = 2_000
BEFORE, AFTER = "before", "after"
SIDES = ("source", "target")
OPERATIONS = {
    LedgerAccount.Kind.WALLET: ["purchase", "allocation", "recharge", "fee", "refund", "settlement"],
    LedgerAccount.Kind.MEMBER: ["allocation", "recharge", "charge", "fee"],
}


@dataclass(frozen=True)
class Line:
    """A transfer as its account sees it: its number there, the amount with a sign, and the balance after it."""

    transfer: Transfer
    version: int
    change: Decimal
    balance: Decimal

    @property
    def other(self) -> LedgerAccount:
        """The account on the other side."""
        return self.transfer.target if self.change < 0 else self.transfer.source


@dataclass(frozen=True)
class StatementPage:
    lines: Sequence[Line]
    previous_url: str
    next_url: str
    text: str


@dataclass(frozen=True)
class Statement:
    """What is asked of the transfers of an account; None is an account that nothing has opened yet."""

    organization: Organization
    account: LedgerAccount | None
    query: QueryDict
    span: Span
    filters: Sequence[ChoiceFilter]
    # Whose it is: what moved while somebody else had the account is theirs.
    stint: Stint = ALWAYS

    @classmethod
    def read(
        cls,
        organization: Organization,
        account: LedgerAccount | None,
        query: QueryDict,
        *,
        kind: str,
        by: bool = True,
        stint: Stint = ALWAYS,
    ) -> "Statement":
        """What a query string asks of an account of ``kind``; ``by`` allows to ask who did it."""
        known = [(operation, Transfer.Operation(operation).label) for operation in OPERATIONS[LedgerAccount.Kind(kind)]]
        filters = [
            ChoiceFilter(
                key="kind",
                label=_("What"),
                every=_("Everything"),
                choices=known,
                chosen=read_choice(query, "kind", [operation for operation, _label in known]),
            )
        ]
        if by:
            actors = list_actors(organization)
            filters.append(
                ChoiceFilter(
                    key="by",
                    label=_("By"),
                    every=_("By anyone"),
                    choices=actors,
                    chosen=read_choice(query, "by", [key for key, _label in actors]),
                )
            )
        return cls(organization, account, query, Span.read(organization, query), filters, stint)

    def within(self, span: Span) -> "Statement":
        """The same, of other days."""
        return replace(self, span=span)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.span.first or self.span.last or self._is_sifted)

    @property
    def _is_sifted(self) -> bool:
        return any(entry.chosen for entry in self.filters)

    @cached_property
    def versions(self) -> tuple[int, int]:
        """The transfers of the span: the number of the last one before it, and that of its last."""
        if self.account is None:
            return 0, 0
        start, end = self.span.bounds(zone_of(self.organization))
        low, high = self.whole
        first = min(high, max(low, last_before(self.account, start))) if start else low
        return first, max(first, min(high, last_before(self.account, end)) if end else high)

    @cached_property
    def whole(self) -> tuple[int, int]:
        """The same of everything there is to ask for."""
        if self.account is None:
            return 0, 0
        since, until = self.stint.since, self.stint.until
        newest = self.account.version or 0
        first = last_before(self.account, since) if since else 0
        return first, last_before(self.account, until) if until else newest

    @property
    def brought_forward(self) -> Decimal | None:
        """What the account held when its present person got it; None for the first, who got it empty."""
        return balance_after(self._known, self.whole[0]) if self.stint.since else None

    @property
    def opening(self) -> Decimal:
        """The balance when the span began."""
        return balance_after(self._known, self.versions[0])

    @property
    def closing(self) -> Decimal:
        """The balance when the span was over, or is now."""
        return balance_after(self._known, self.versions[1])

    def page(self, size: int = PAGE_SIZE) -> StatementPage:
        """The lines that ``before`` or ``after`` of the query string asks for; the newest where neither does."""
        if after := read_number(self.query, AFTER):
            page = self._page_after(after, size)
            if page is not None:
                return page
        first, last = self.versions
        before = read_number(self.query, BEFORE)
        top = min(last, before - 1) if before else last
        bottom = max(first, top - WINDOW)
        lines = self._lines(bottom, top, size + 1)
        more = len(lines) > size
        lines = lines[:size]
        until = lines[-1].version if more else bottom + 1
        return StatementPage(
            lines=lines,
            previous_url=self._url(AFTER, top) if top < last else "",
            next_url=self._url(BEFORE, until) if more or bottom > first else "",
            text=self._text(len(lines), 0 if more or bottom == first else bottom + 1),
        )

    def _page_after(self, after: int, size: int) -> StatementPage | None:
        """Lines newer than a number; None where those are the first page, which is shown full."""
        first, last = self.versions
        bottom = max(first, min(after, last))
        top = min(last, bottom + WINDOW)
        lines = self._lines(bottom, top, size + 1, newest_first=False)
        more = len(lines) > size
        if not more and top == last:
            return None
        lines = lines[:size]
        reached = lines[-1].version if more else top
        return StatementPage(
            lines=lines[::-1],
            previous_url=self._url(AFTER, reached),
            next_url=self._url(BEFORE, bottom + 1) if bottom > first else "",
            text=self._text(len(lines), 0),
        )

    def chunks(self) -> Iterator[list[Line]]:
        """Every line that is asked for, newest first, some at a time."""
        first, top = self.versions
        while top > first:
            bottom = max(first, top - CHUNK)
            if lines := self._lines(bottom, top, CHUNK):
                yield lines
            top = bottom

    def _lines(self, bottom: int, top: int, number: int, *, newest_first: bool = True) -> list[Line]:
        """At most ``number`` lines with a number above ``bottom`` and up to ``top``."""
        if self.account is None or bottom >= top:
            return []
        lines: list[Line] = []
        for side in SIDES:
            version = f"{side}_version"
            found = Transfer.objects.filter(
                self._sieve, **{side: self.account, f"{version}__gt": bottom, f"{version}__lte": top}
            )
            order = f"-{version}" if newest_first else version
            people = found.select_related(
                "source__member__user", "target__member__user", "actor_member__user", "actor_user", "batch"
            )
            lines += (_line(transfer, side) for transfer in people.order_by(order)[:number])
        know_predecessors(person for line in lines for person in (line.transfer.actor_member, line.other.member))
        return sorted(lines, key=lambda line: line.version, reverse=newest_first)[:number]

    @cached_property
    def _sieve(self) -> Q:
        chosen = {entry.key: entry.chosen for entry in self.filters}
        sieve = Q(organization=self.organization)
        if chosen["kind"]:
            sieve &= Q(operation=chosen["kind"])
        match chosen.get("by", ""):
            case "":
                return sieve
            case "system" | "operator" as kind:
                return sieve & Q(actor_kind=kind)
            case skype_name:
                acted = Member.objects.of(self.organization).named(skype_name)
                return sieve & Q(actor_member__in=list(acted.values_list("pk", flat=True)))

    @property
    def _known(self) -> LedgerAccount:
        return self.account or LedgerAccount(organization=self.organization)

    def _url(self, way: str, version: int) -> str:
        query = self.query.copy()
        query.pop(BEFORE, None)
        query.pop(AFTER, None)
        return change_query(query, **{way: str(version)})

    def _text(self, shown: int, looked_back_to: int) -> str:
        if not self._is_sifted:
            first, last = self.versions
            text = ngettext(
                "{shown} of {total} entry, newest first", "{shown} of {total} entries, newest first", last - first
            )
            return text.format(shown=count(shown), total=count(last - first))
        text = ngettext("{shown} entry, newest first", "{shown} entries, newest first", shown)
        if looked_back_to:
            until = recorded_at(self._known, looked_back_to)
            text = gettext("{text}; searched back to {day}").format(text=text, day=day(until))
        return text.format(shown=count(shown))


def _line(transfer: Transfer, side: str) -> Line:
    sign = -1 if side == "source" else 1
    after, version = getattr(transfer, f"{side}_after"), getattr(transfer, f"{side}_version")
    return Line(transfer=transfer, version=version, change=sign * transfer.amount, balance=after)


def account_of_member(organization: Organization, member: Member) -> LedgerAccount | None:
    """The account of a member, None before credit ever came to it."""
    return LedgerAccount.objects.filter(organization=organization, member=member).first()


def account_of_wallet(organization: Organization) -> LedgerAccount | None:
    """The wallet of an organization, None before credit was ever bought."""
    wallets = LedgerAccount.objects.filter(organization=organization, kind=LedgerAccount.Kind.WALLET, member=None)
    return wallets.first()
