"""Charts: coordinates that say what the figures say."""

from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from reports.charts import MOST_STEPS, line_chart, scale_step, scale_text, share_of

AMOUNTS = st.decimals(min_value=0, max_value=10**7, places=4)


def chart(now, before=(), points=None):
    return line_chart(
        [Decimal(value) for value in now],
        [Decimal(value) for value in before],
        points=points or max(len(now), len(before)),
        name=str,
    )


@pytest.mark.parametrize(
    ("most", "step"),
    [("0", "1"), ("4", "1"), ("4.01", "2"), ("9", "2.5"), ("1172.85", "500"), ("0.03", "0.01"), ("1000", "250")],
)
def test_a_scale_has_round_steps_and_four_of_them_at_most(most, step):
    assert scale_step(Decimal(most)) == Decimal(step)


@given(AMOUNTS)
def test_every_amount_is_within_its_scale(amount):
    assert scale_step(amount) * MOST_STEPS >= amount


@given(st.lists(AMOUNTS, min_size=2, max_size=40), st.lists(AMOUNTS, max_size=40))
def test_a_line_adds_up_from_left_to_right_and_stays_in_its_box(now, before):
    drawn = chart(now, before)
    points = [tuple(float(part) for part in point.split(",")) for point in drawn.line.split()]

    assert len(points) == len(now)
    assert [x for x, _y in points] == sorted(x for x, _y in points)
    assert [y for _x, y in points] == sorted((y for _x, y in points), reverse=True)
    assert all(0 <= x <= 100 and -0.01 <= y <= 100 for x, y in points)


def test_a_line_ends_where_the_sum_is():
    drawn = chart(["10", "20", "10"], ["5", "5", "5", "5", "5"], points=5)

    assert drawn.line == "0.00,75.00 25.00,25.00 50.00,0.00"
    assert drawn.before.split()[-1] == "100.00,37.50"
    assert drawn.area.endswith("50.00,100")
    assert (drawn.dot_x, drawn.dot_y) == ("54.00%", "8.0")
    assert [line.text for line in drawn.grid] == ["0", "10", "20", "30", "40"]
    assert [tick.text for tick in drawn.ticks] == ["0", "1", "2", "3", "4"]


def test_a_time_before_that_was_longer_ends_at_all_of_it():
    assert chart(["1", "1"], ["1", "1", "2"], points=2).before == "0.00,75.00 100.00,0.00"


def test_coordinates_have_points_in_every_language_and_scales_speak_it():
    with translation.override("fr"):
        drawn = chart(["0.5", "0.5"])
        assert scale_text(Decimal("2500.5")) == "2\u202f500,5"

    assert "," not in drawn.dot_y + drawn.dot_x + drawn.grid[1].y
    assert [line.text for line in drawn.grid] == ["0", "0,25", "0,5", "0,75", "1"]


def test_a_bar_is_a_share_of_the_longest():
    assert share_of(Decimal(1), Decimal(4)) == "25.0"
    assert share_of(Decimal(0), Decimal(0)) == "0"


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="two points"):
        chart(["1"])
