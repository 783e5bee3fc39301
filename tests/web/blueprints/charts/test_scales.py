from hypothesis import given
from hypothesis import strategies as st

from inventory_web.blueprints.charts import Scale, round_ticks

NUMBERS = st.integers(0, 10**15)


@given(largest=NUMBERS, most=st.integers(2, 12))
def test_ticks_are_few_round_and_reach_the_largest(largest: int, most: int) -> None:
    ticks = round_ticks(largest, most)
    step = ticks[1]

    assert ticks == tuple(range(0, ticks[-1] + 1, step))
    assert 2 <= len(ticks) <= most
    assert ticks[-1] >= max(largest, 1)
    assert ticks[-2] < max(largest, 1)
    assert str(step).rstrip("0") in ("1", "2", "5")


@given(
    value=NUMBERS, more=NUMBERS, largest=st.integers(1, 10**15), begin=st.floats(-999, 999), end=st.floats(-999, 999)
)
def test_a_scale_keeps_order_and_stays_between_its_ends(
    value: int, more: int, largest: int, begin: float, end: float
) -> None:
    scale = Scale(largest, begin, end)
    place, further = scale.at(value), scale.at(value + more)
    slack = 1e-9

    assert min(begin, end) - slack <= place <= max(begin, end) + slack
    assert (further - place) * (end - begin) >= -slack
    assert scale.at(0) == begin
    assert abs(scale.at(largest) - end) <= slack
