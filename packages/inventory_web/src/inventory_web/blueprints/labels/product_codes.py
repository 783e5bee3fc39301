"""Finds the products of a typed or pasted list of codes."""

import re
from dataclasses import dataclass

from inventory_core import Inventory, ProductDetails, normalize_code, products_by_code

_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The products of a list, each once and in its order, and the lines without a product."""

    products: tuple[ProductDetails, ...]
    unknown: tuple[str, ...]


def lines_of(text: str) -> list[str]:
    """Return the non-blank lines; of a row from a spreadsheet only the first cell."""
    cells = (line.lstrip().split("\t")[0] for line in text.splitlines())
    return list(dict.fromkeys(cell for cell in map(normalize_code, cells) if cell))


def codes_of(text: str) -> list[str]:
    """Return the possible codes of a list: each line, and its parts between commas, semicolons or blanks."""
    return list(dict.fromkeys(code for line in lines_of(text) for code in (line, *_parts(line))))


def choose_products(inventory: Inventory, text: str) -> Chosen:
    """Look up the lines; a line that is not a code itself may contain several."""
    found = products_by_code(inventory, codes_of(text))
    products: dict[int, ProductDetails] = {}
    unknown: dict[str, None] = {}
    for line in lines_of(text):
        parts = [] if line in found else _parts(line)
        codes = parts if any(part in found for part in parts) else [line]
        products |= {found[code].row.id: found[code] for code in codes if code in found}
        unknown |= dict.fromkeys(code for code in codes if code not in found)
    return Chosen(tuple(products.values()), tuple(unknown))


def _parts(line: str) -> list[str]:
    parts = [part for part in _SEPARATORS.split(line) if part]
    return parts if len(parts) > 1 else []
