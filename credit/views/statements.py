"""Statements: of a member and of the wallet for those who manage credit, and their own for everybody."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credit.models import LedgerAccount
from credit.selectors.balances import KEEPS_CREDIT, balance_of, wallet_balance
from credit.selectors.history import last_before
from credit.selectors.inactivity import idleness_of
from credit.selectors.spans import Span, first_day, month_after, month_before, read_month, zone_of
from credit.selectors.statements import (
    AFTER,
    BEFORE,
    Statement,
    StatementPage,
    account_of_member,
    account_of_wallet,
)
from credit.statement_texts import file_header, file_rows, show_lines
from members.access import Actor, Capability
from members.decorators import OrganizationRequest, SignedInRequest, organization_view, signed_in_view
from members.downloads import download
from members.member_frame import find_member, member_frame
from members.models import Member
from members.months import present_month
from members.periods import Period
from members.tenures import present_stint
from skypemgr.lists import change_query

Kind = LedgerAccount.Kind
# The newest lines, where a whole statement is a link away.
FEW, FEWEST = 25, 5


@dataclass(frozen=True)
class Month:
    """A month to step to: its first day, which says its name, and the page that shows it."""

    day: date
    url: str


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def member_statement(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    context = {
        **member_frame(request, member, "credit"),
        **_context(request, _of_member(request, member)),
        "balance": balance_of(request.organization, member),
        "export_url": _export_url(request, "credit:member_statement_export", member.user.skype_name),
    }
    return render(request, "credit/member_statement.html", context)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def member_statement_export(request: OrganizationRequest, skype_name: str) -> HttpResponseBase:
    member = find_member(request.organization, skype_name)
    return _file(request, _of_member(request, member), f"credit-{member.user.skype_name}", Capability.MANAGE_CREDIT)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def wallet_statement(request: OrganizationRequest) -> HttpResponse:
    context = {
        "section": "credit",
        "subsection": "statement",
        **_context(request, _of_wallet(request)),
        "with_member": True,
        "balance": wallet_balance(request.organization),
        "export_url": _export_url(request, "credit:wallet_statement_export"),
    }
    return render(request, "credit/wallet_statement.html", context)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def wallet_statement_export(request: OrganizationRequest) -> HttpResponseBase:
    return _file(request, _of_wallet(request), "wallet", Capability.MANAGE_CREDIT, with_member=True)


@signed_in_view
@require_safe
def my_statement(request: SignedInRequest, slug: str) -> HttpResponse:
    """The credit of whoever asks, in one of their organizations."""
    own = own_request(request, slug)
    context = {
        **_context(own, _of_oneself(own)),
        "balance": balance_of(own.organization, own.member),
        "export_url": reverse("my_credit:export", args=[slug]) + _filters(own.GET),
    }
    return render(request, "credit/my_statement.html", context)


@signed_in_view
@require_safe
def my_statement_export(request: SignedInRequest, slug: str) -> HttpResponseBase:
    own = own_request(request, slug)
    return _file(own, _of_oneself(own), "credit", None)


def statement_panel(request: OrganizationRequest, member: Member) -> dict[str, Any]:
    """What ``credit/statement_panel.html`` shows on the page of a member's credit: one month, newest first."""
    month = read_month(request.organization, request.GET) or present_month(request.organization)
    empty = QueryDict(mutable=True)
    account = account_of_member(request.organization, member)
    statement = Statement.read(request.organization, account, empty, kind=Kind.MEMBER)
    statement = statement.within(Span.of_month(month))
    names = [request.organization.slug, member.user.skype_name]
    query = f"?month={month.key}"
    # Also on the page that shows a refused form, which has an address that only forms are sent to.
    here = reverse("credit:member_credit", args=names)
    return {
        **_shown(request, statement, statement.page(FEW)),
        **_steps(statement, month, here, empty),
        "statement_url": reverse("credit:member_statement", args=names),
        "month_url": reverse("credit:member_statement", args=names) + query,
        "export_url": reverse("credit:member_statement_export", args=names) + query,
    }


def render_own_credit(request: HttpRequest, member: Member) -> str:
    """The panel of /me/ with what ``member`` holds, and the newest lines; "" before they ever got any.

    Somebody who has left sees it as long as anything is left.
    """
    account = account_of_member(member.organization, member)
    if account is None or (member.state == Member.State.LEFT and not account.balance):
        return ""
    statement = Statement.read(
        member.organization, account, QueryDict(), kind=Kind.MEMBER, by=False, stint=present_stint(member)
    )
    lines = statement.page(FEWEST).lines
    with timezone.override(zone_of(member.organization)):
        shown = show_lines(member.organization, lines, Actor.of_person(member.user))
        idleness = idleness_of(member.organization, member)
        context = {"member": member, "balance": account.balance, "lines": shown, "idleness": idleness}
        return render_to_string("credit/my_credit.html", context, request)


def _of_member(request: OrganizationRequest, member: Member) -> Statement:
    account = account_of_member(request.organization, member)
    return Statement.read(request.organization, account, request.GET, kind=Kind.MEMBER)


def _of_oneself(request: OrganizationRequest) -> Statement:
    """What is of whoever asks: what moved before they got the account is not theirs to see."""
    organization, member = request.organization, request.member
    account = account_of_member(organization, member)
    return Statement.read(organization, account, request.GET, kind=Kind.MEMBER, by=False, stint=present_stint(member))


def _of_wallet(request: OrganizationRequest) -> Statement:
    account = account_of_wallet(request.organization)
    return Statement.read(request.organization, account, request.GET, kind=Kind.WALLET)


def own_request(request: SignedInRequest, slug: str) -> OrganizationRequest:
    """The request as one inside the organization in which somebody looks at what is their own. Raises Http404."""
    member = get_object_or_404(
        Member.objects.select_related("organization", "user").filter(KEEPS_CREDIT),
        organization__slug=slug,
        user=request.user,
    )
    own: Any = request
    own.member, own.organization = member, member.organization
    timezone.activate(zone_of(member.organization))
    return own


def _context(request: OrganizationRequest, statement: Statement) -> dict[str, Any]:
    month = statement.span.month
    steps = (
        _steps(statement, month, request.path, request.GET)
        if month
        else {"month_to": _step(present_month(request.organization), request.path, request.GET)}
    )
    shown = _shown(request, statement, statement.page())
    return {**shown, **steps, "organization": request.organization}


def _shown(request: OrganizationRequest, statement: Statement, page: StatementPage) -> dict[str, Any]:
    return {
        "statement": statement,
        "page": page,
        "lines": show_lines(request.organization, page.lines, request.actor),
    }


def _steps(statement: Statement, month: Period, path: str, query: QueryDict) -> dict[str, Any]:
    """The month, and those before and after it, as far as there was anything then."""
    organization = statement.organization
    earlier = statement.account is not None and last_before(statement.account, month.start) > statement.whole[0]
    return {
        "month": first_day(month),
        "month_before": _step(month_before(organization, month), path, query) if earlier else None,
        "month_after": _step(month_after(organization, month), path, query) if month.end <= timezone.now() else None,
    }


def _step(month: Period, path: str, query: QueryDict) -> Month:
    return Month(first_day(month), path + _filters(query, month=month.key, **{"from": "", "to": ""}))


def _filters(query: QueryDict, **changes: str) -> str:
    """What is asked for, wherever in it the page is."""
    return change_query(query, **{BEFORE: "", AFTER: "", **changes})


def _export_url(request: OrganizationRequest, name: str, *args: str) -> str:
    return reverse(name, args=[request.organization.slug, *args]) + _filters(request.GET)


def _file(
    request: OrganizationRequest,
    statement: Statement,
    name: str,
    capability: Capability | None,
    *,
    with_member: bool = False,
) -> HttpResponseBase:
    currency = request.organization.currency
    return download(
        request,
        capability,
        name=name,
        header=file_header(with_member=with_member),
        chunks=statement.chunks(),
        make=lambda lines: file_rows(lines, currency, with_member=with_member),
    )
