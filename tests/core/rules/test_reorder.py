from hypothesis import given
from hypothesis import strategies as st

from inventory_core.rules.stock import Status, is_low, shown_status, to_buy

QUANTITIES = st.integers(0, 1000)


@given(QUANTITIES, QUANTITIES)
def test_a_product_is_low_exactly_if_something_is_to_be_bought(quantity: int, minimum: int) -> None:
    assert is_low(quantity, minimum) == (to_buy(quantity, minimum) > 0)


@given(QUANTITIES, QUANTITIES)
def test_what_is_bought_reaches_the_minimum(quantity: int, minimum: int) -> None:
    assert not is_low(quantity + to_buy(quantity, minimum), minimum)


def test_the_most_urgent_status_is_shown() -> None:
    assert shown_status(0, 5, retired=True) is Status.RETIRED
    assert shown_status(0, 5, retired=False) is Status.OUT_OF_STOCK
    assert shown_status(4, 5, retired=False) is Status.LOW_STOCK
    assert shown_status(5, 5, retired=False) is Status.AVAILABLE


def test_a_product_without_a_minimum_is_never_low() -> None:
    assert not is_low(0, 0)
