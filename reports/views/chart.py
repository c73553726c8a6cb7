"""The chart above a report: what it is about, adding up day by day, over the time before."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext

from members.models import Organization
from reports.asked import Asked, Cut, Days, today_in
from reports.charts import LineChart, line_chart
from reports.tables import CutReport, Figures
from reports.written import Writer
from skypemgr.templatetags.look import day as written_day
from skypemgr.templatetags.look import month as written_month
from skypemgr.templatetags.look import short_day

# A line of more days has no room for them.
MOST_DAYS = 400


@dataclass(frozen=True)
class ReportChart:
    """A chart, its finding in words, and what its two lines are called."""

    chart: LineChart
    label: str
    title: str
    now: str
    before: str


def chart_of(
    organization: Organization, writer: Writer, asked: Asked, total: Figures, before: Figures
) -> ReportChart | None:
    """The chart of a report; None where there is nothing to draw, or it would go over too many days."""
    report, days = writer.report, asked.days
    number = (days.last - days.first).days + 1
    main = report.figures[-1]
    if not 1 < number <= MOST_DAYS or not (total[main.name] or before[main.name]):
        return None
    # Of days to come nothing is known yet.
    known = min(number, (today_in(organization) - days.first).days + 1)
    if known < 1:
        return None
    now = _by_day(organization, report, asked, days)[:known]
    # All of the time before, also where only the days up to today are compared with it.
    earlier = _by_day(organization, report, asked, days.before())
    label = gettext("{what} from {first} to {last}, adding up to {total}; the time before came to {before}.").format(
        what=main.heading,
        first=written_day(days.first),
        last=written_day(days.last),
        total=writer.figure(main, total),
        before=writer.figure(main, before),
    )
    return ReportChart(
        chart=line_chart(now, earlier, points=number, name=lambda place: short_day(days.first + timedelta(days=place))),
        label=label,
        title=gettext("{what}, adding up").format(what=main.heading),
        now=_name(days),
        before=_name(days.before()),
    )


def _by_day(organization: Organization, report: CutReport, asked: Asked, days: Days) -> list[Decimal]:
    table = report.table(organization, replace(asked, days=days, cut=Cut.DAY, keys=None))
    main = report.figures[-1]
    found = {row.key: row.values[main.name] for row in table.rows}
    number = (days.last - days.first).days + 1
    return [Decimal(found.get(days.first + timedelta(days=place), 0)) for place in range(number)]


def _name(days: Days) -> str:
    if days.whole:
        return written_month(days.first)
    return gettext("{first} to {last}").format(first=written_day(days.first), last=written_day(days.last))
