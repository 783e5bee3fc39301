import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_core.rules.reports import days_left

UNITS = st.integers(1, 10**9)


@pytest.mark.parametrize(("quantity", "used", "left"), [(40, 60, 20), (1, 3, 10), (99, 1, 2970), (1, 31, 0), (0, 5, 0)])
def test_stock_lasts_as_long_as_the_pace_of_the_last_month_says(quantity: int, used: int, left: int) -> None:
    assert days_left(quantity, used) == left


@given(quantity=UNITS, used=UNITS, days=st.integers(1, 366))
def test_the_stock_is_enough_for_these_days_and_not_for_one_more(quantity: int, used: int, days: int) -> None:
    left = days_left(quantity, used, days)

    assert left * used <= quantity * days < (left + 1) * used


@pytest.mark.parametrize("used", [0, -3])
def test_what_no_one_uses_does_not_run_out(used: int) -> None:
    with pytest.raises(ValueError, match="does not run out"):
        days_left(5, used)
