"""Quantities: whole units between 0 and a limit, and what people type for them."""

import re

from inventory_core.errors import Fault
from inventory_core.rules.arguments import check_arguments
from inventory_core.rules.texts import shown

MAX_QUANTITY = 1_000_000_000
"""The most that one balance, one product in all, or a minimum may be."""


@check_arguments
def parse_quantity(field: str, text: str, *, signed: bool = False) -> tuple[int | None, list[Fault]]:
    """Read what a person typed: digits only, with a sign if ``signed``; give the number, or None and the faults.

    Thousands separators are refused rather than guessed, since "1.000" is one thousand in Spanish and one in English.
    A spreadsheet's ``12.0`` is not typed text; readers of files turn it into an int first.
    """
    cleaned = text.strip()
    if not cleaned:
        return None, [Fault(field, "required")]
    if not re.fullmatch(r"[+-]?[0-9]+", cleaned, re.ASCII):
        return None, [Fault(field, "not_whole", cleaned[:80])]
    if len(cleaned) > 20:
        return None, [Fault(field, "too_large", cleaned[:80], MAX_QUANTITY)]
    number = int(cleaned)
    faults = quantity_faults(field, number, signed=signed)
    return (None, faults) if faults else (number, [])


def quantity_faults(field: str, number: int, *, signed: bool = False) -> list[Fault]:
    """What is wrong with a number as a quantity: not whole, negative, unless ``signed``, or beyond the limit."""
    if type(number) is not int:
        return [Fault(field, "not_whole", shown(number))]
    if number < 0 and not signed:
        return [Fault(field, "negative", shown(number))]
    if abs(number) > MAX_QUANTITY:
        return [Fault(field, "too_large", shown(number), MAX_QUANTITY)]
    return []
