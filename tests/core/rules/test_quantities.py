from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_core.rules.stock import MAX_QUANTITY, parse_quantity, quantity_faults


@given(st.integers(0, MAX_QUANTITY))
def test_a_whole_number_reads_back_as_itself(number: int) -> None:
    assert parse_quantity("quantity", f" {number} ") == (number, [])


@given(st.integers(-MAX_QUANTITY, MAX_QUANTITY))
def test_a_signed_number_reads_back_as_itself(number: int) -> None:
    assert parse_quantity("quantity", f"{number:+}", signed=True) == (number, [])


@given(st.text())
def test_any_text_returns_a_number_or_a_fault_and_never_both(text: str) -> None:
    number, faults = parse_quantity("quantity", text)

    assert (number is None) == bool(faults)
    assert number is None or 0 <= number <= MAX_QUANTITY


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "required"),
        ("  ", "required"),
        ("-1", "negative"),
        ("1.5", "not_whole"),
        ("1.000", "not_whole"),
        ("1,000", "not_whole"),
        ("1 000", "not_whole"),
        ("1e3", "not_whole"),
        ("0x10", "not_whole"),
        ("٣", "not_whole"),
        ("1_000", "not_whole"),
        ("1000000001", "too_large"),
        ("9" * 5000, "too_large"),
    ],
)
def test_what_is_not_a_quantity_is_refused_with_its_reason(text: str, reason: str) -> None:
    number, faults = parse_quantity("quantity", text)

    assert number is None
    assert [fault.reason for fault in faults] == [reason]


@pytest.mark.parametrize("number", [1.5, 1.0, "1", True, None])
def test_a_value_that_is_not_an_integer_is_not_whole(number: object) -> None:
    assert [fault.reason for fault in quantity_faults("quantity", cast("Any", number))] == ["not_whole"]
