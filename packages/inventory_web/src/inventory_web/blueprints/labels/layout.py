"""Lays out the labels of a print: texts and symbols."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, repeat

from inventory_core import ProductDetails
from inventory_web.blueprints.labels.sheets import Kind, Sheet
from inventory_web.blueprints.labels.symbols import Symbol, bar_symbol, qr_symbol

MOST_PLACES = 2
LONG_CODE = 22
"""Characters; a longer code is printed in smaller letters."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of the labels; ``address_of`` returns the content of a QR code instead of the product's code."""

    sheet: Sheet
    kind: Kind
    parts: frozenset[str]
    address_of: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """One label. ``qr`` and ``bars`` are ids of symbols; ``bar_width`` is the width of all bars together, in millimetres."""

    kind: Kind
    code: str
    long: bool
    name: str
    details: tuple[str, ...]
    qr: str = ""
    bars: str = ""
    bars_width: float = 0


@dataclass(slots=True)
class Print:
    """The labels in order, and each symbol once by its id; ``without_bars`` are codes that bars cannot encode here."""

    labels: list[Label] = field(default_factory=list)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    without_bars: list[str] = field(default_factory=list)


def arrange(
    products: Iterable[tuple[ProductDetails, int]], wanted: Wanted, quantity_text: Callable[[int], str]
) -> Print:
    """Create the labels of these products, each in its number."""
    made = Print()
    for place, (product, copies) in enumerate(products):
        made.labels += [_label(str(place), product, wanted, made, quantity_text)] * copies
    return made


def pages(labels: list[Label], sheet: Sheet, first: int) -> list[list[Label | None]]:
    """Return the labels by sheet, starting at position ``first``; None leaves a position empty."""
    places: Iterator[Label | None] = chain(repeat(None, first - 1), labels)
    found: list[list[Label | None]] = []
    while page := list(islice(places, sheet.positions)):
        found.append(page)
    return found


def _label(
    number: str, product: ProductDetails, wanted: Wanted, made: Print, quantity_text: Callable[[int], str]
) -> Label:
    row, kind = product.row, wanted.kind
    bars, width = _bars(row.code, wanted.sheet) if kind is not Kind.QR else (None, 0.0)
    if kind is not Kind.QR and bars is None:
        made.without_bars.append(row.code)
        kind = Kind.QR
    qr = "" if kind is Kind.BARS else f"q{number}"
    if qr:
        made.symbols[qr] = qr_symbol(wanted.address_of(row.code) if wanted.address_of else row.code)
    if bars is not None:
        made.symbols[f"b{number}"] = bars
    return Label(
        kind=kind,
        code=row.code if "code" in wanted.parts else "",
        long=len(row.code) > LONG_CODE,
        name=row.name if "name" in wanted.parts else "",
        details=tuple(text for text in _details(product, wanted.parts, quantity_text) if text),
        qr=qr,
        bars=f"b{number}" if bars is not None else "",
        bars_width=width,
    )


def _bars(code: str, sheet: Sheet) -> tuple[Symbol | None, float]:
    symbol = bar_symbol(code)
    width = sheet.bar_width(symbol.width) if symbol else None
    return (symbol, round(width * symbol.width, 2)) if symbol and width else (None, 0.0)


def _details(product: ProductDetails, parts: frozenset[str], quantity_text: Callable[[int], str]) -> Iterable[str]:
    if "category" in parts:
        yield product.row.category or ""
    if "location" in parts:
        places = [place for place, quantity in product.balances if quantity]
        yield ", ".join(places[:MOST_PLACES]) + ("…" if len(places) > MOST_PLACES else "")
    if "quantity" in parts:
        yield quantity_text(product.row.total)
