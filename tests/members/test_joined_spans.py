"""The months into which a time is taken apart, so that the list can look at each of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from members.selectors.joined import Span

moments = st.datetimes(datetime(2019, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def holds(span, moment):
    return (span.since is None or span.since <= moment) and (span.until is None or moment < span.until)


@given(st.none() | moments, st.none() | moments, moments, moments, moments)
def test_who_joined_in_a_time_joined_in_one_of_its_months_or_beside_them_and_nobody_else_did(
    since, until, one, other, joined
):
    first, last = min(one, other, joined), max(one, other, joined)
    span = Span(since, until)

    months, rest = span.months(first, last)

    in_month = [month for month in months if month <= joined < (month + timedelta(days=31)).replace(day=1)]
    beside = [part for part in rest if holds(part, joined)]
    assert len(in_month) + len(beside) == holds(span, joined)


def test_what_two_filters_ask_for_is_what_both_of_them_hold():
    january, march, may = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 5))

    assert Span(january, may).both(Span(since=march)) == Span(march, may)
    assert Span(until=march).both(Span()) == Span(until=march)
