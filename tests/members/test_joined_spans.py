"""The months in which people joined in a time, so that the list can look at each of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from members.selectors.joined import Span

moments = st.integers(0, 8 * 366 * 24 * 60).map(
    lambda minutes: datetime(2019, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(st.none() | moments, st.none() | moments, moments, moments, moments)
def test_who_joined_in_a_time_joined_in_one_of_its_months(since, until, one, other, joined):
    first, last = min(one, other, joined), max(one, other, joined)
    in_time = (since is None or since <= joined) and (until is None or joined < until)

    months = Span(since, until).months(first, last)

    assert months == sorted(set(months))
    assert all(month.day == 1 for month in months)
    assert not in_time or joined.replace(day=1, hour=0, minute=0, second=0, microsecond=0) in months


def test_what_two_filters_ask_for_is_what_both_of_them_hold():
    january, march, may = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 5))

    assert Span(january, may).both(Span(since=march)) == Span(march, may)
    assert Span(until=march).both(Span()) == Span(until=march)
