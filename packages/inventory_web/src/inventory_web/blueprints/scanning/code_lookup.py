"""Finds the product for a scanned text."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from inventory_core import MAX_CODE_LENGTH, Inventory, ProductDetails, normalize_code, products_by_code

LONGEST_TEXT = 2_000
SPANISH_KEYS = str.maketrans("'-?_ñÑ/()=&\"·¿¡;:+", "-/_?;:&*()^@#+=<>]")
"""Characters that a Spanish keyboard layout produces for a scanner with the American one, and the intended ones."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """The result for a text; ``code`` is the recognised code. ``corrected``: the keyboard layout had garbled it."""

    code: str
    product: ProductDetails | None
    corrected: bool = False


def find_scanned(inventory: Inventory, text: str) -> Scanned:
    """Find the product of a scanned or typed text, retired or not."""
    text = normalize_code(text[:LONGEST_TEXT])
    plain = list(dict.fromkeys(_meanings(text)))
    garbled = [code for code in _meanings(text.translate(SPANISH_KEYS)) if code not in plain]
    found = products_by_code(inventory, [code for code in (*plain, *garbled) if len(code) <= MAX_CODE_LENGTH])
    for code in (*plain, *garbled):
        if code in found:
            return Scanned(code, found[code], corrected=code in garbled)
    return Scanned(plain[0], None)


def _meanings(text: str) -> Iterator[str]:
    yield _code_in_address(text) or text
    yield text
    if text.isascii() and text.isdigit() and 12 <= len(text) <= 14:
        # An article number has 12 digits in UPC-A, 13 in EAN-13 and 14 on a carton.
        yield text.zfill(13)
        yield text.zfill(14)
        for length in (13, 12):
            if not text[:-length].strip("0"):
                yield text[-length:]


def _code_in_address(text: str) -> str:
    """Return the code in the product URL on one of our labels, from any host; empty if there is none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.path.endswith("/scan"):
        return ""
    return normalize_code(parse_qs(parts.query).get("code", [""])[0])
