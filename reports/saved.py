"""What a saved report asks for, and where its page is."""

from collections.abc import Sequence
from dataclasses import replace

from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from members.access import Actor, Capability
from members.models import Department, Organization
from reports.asked import Asked, Days
from reports.models import SavedReport
from reports.tables import CutReport, cut_report

# Of what stands in the address of a report; the days are no part of what is saved.
KEPT = ("by", "department", "direct", "destination")


def query_to_save(query: QueryDict) -> str:
    """What of a query string is kept with a report."""
    return urlencode([(key, value) for key in KEPT if (value := query.get(key))])


def may_change(actor: Actor, saved: SavedReport) -> bool:
    """Whether it is theirs, or they are an administrator."""
    own = actor.member is not None and actor.member.pk == saved.saved_by_id
    return own or actor.can(Capability.MANAGE_ORGANIZATION)


def asked_by(
    organization: Organization, saved: SavedReport, days: Days, tree: Sequence[Department] | None = None
) -> tuple[CutReport, Asked] | None:
    """The report and what it asks for on some days; None when its department is gone.

    ``tree`` has all departments, where they are known already.
    """
    report = cut_report(saved.report)
    try:
        asked = Asked.read(organization, QueryDict(saved.query), report.cuts, tree)
    except Http404:
        return None
    return report, replace(asked, days=days)


def path_of(organization: Organization, saved: SavedReport, days: Days | None = None) -> str:
    """The address of its page, on some days or else in the present month."""
    query = QueryDict(saved.query, mutable=True)
    if days is not None:
        query.update(
            {"month": f"{days.first:%Y-%m}"} if days.whole else {"from": str(days.first), "to": str(days.last)}
        )
    return f"{reverse(f'reports:{saved.report}', args=[organization.slug])}?{query.urlencode()}"
