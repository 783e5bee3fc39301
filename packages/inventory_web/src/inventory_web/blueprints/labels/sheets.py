"""Sheets of labels: papers, layout, and QR codes and barcodes as SVG."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, groupby, islice, repeat
from math import floor

import segno
from barcode import EAN8, EAN13, Code128
from flask_babel import gettext

from inventory_core import ProductDetails

MILLIMETRES_OF_A_POINT = 25.4 / 72
LINE_HEIGHT = 1.2
FINEST_BAR = 0.17
"""The smallest module that office printers print cleanly and scanners read."""
BARS = (0.375, 0.25)
"""Bar widths in whole dots of a label printer with 203 dots per inch."""
GAP = 1.2


class Kind(StrEnum):
    """The machine-readable symbols of a label."""

    QR = "qr"
    BARS = "bars"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a label kind: sides of the symbols, font size in points, and number of text lines next to them."""

    qr: float
    bars: float
    font: float
    lines: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with ``columns`` by ``rows`` labels, the first of which begins at ``left`` and ``top``.

    ``inset_x`` and ``inset_y`` stay empty inside each label: few printers reach the edge of the paper, and sheets are rarely
    exactly straight.
    """

    key: str
    page_width: float
    page_height: float
    columns: int
    rows: int
    width: float
    height: float
    left: float = 0
    top: float = 0
    column_gap: float = 0
    row_gap: float = 0
    inset_x: float = 2
    inset_y: float = 1.5

    @property
    def positions(self) -> int:
        """Return the number of labels on a sheet."""
        return self.columns * self.rows

    @property
    def inner_width(self) -> float:
        """Return the printable width of a label."""
        return self.width - 2 * self.inset_x

    @property
    def inner_height(self) -> float:
        """Return the printable height of a label."""
        return self.height - 2 * self.inset_y

    def layout(self, kind: Kind) -> Layout:
        """Return the layout for this kind."""
        bars = 0.0 if kind is Kind.QR else min(max(0.36 * self.inner_height, 6.0), 12.0)
        left = self.inner_height - (bars + GAP if bars else 0)
        qr = 0.0 if kind is Kind.BARS else min(left, 0.42 * self.inner_width)
        font = min(max(0.23 * self.height, 6.5), 9.0)
        lines = floor(left / (font * LINE_HEIGHT * MILLIMETRES_OF_A_POINT))
        return Layout(round(qr, 2), round(bars, 2), round(font, 2), max(lines, 2))

    def bar_width(self, modules: int) -> float | None:
        """Return the width of one bar if there are this many; None if they would be too fine to read."""
        fitting = self.inner_width / modules
        if fitting < FINEST_BAR:
            return None
        return next((width for width in BARS if width <= fitting), fitting)


SHEETS = {
    sheet.key: sheet
    for sheet in (
        Sheet("a4-3x8", 210, 297, 3, 8, 70, 37, top=0.5, inset_x=5, inset_y=4),
        Sheet("a4-4x10", 210, 297, 4, 10, 52.5, 29.7, inset_x=4.5, inset_y=3.5),
        Sheet("letter-5160", 215.9, 279.4, 3, 10, 66.675, 25.4, left=4.7625, top=12.7, column_gap=3.175),
        Sheet("roll-62x29", 62, 29, 1, 1, 62, 29),
        Sheet("roll-50x25", 50, 25, 1, 1, 50, 25),
    )
}
"""By key; the first is the default."""


def sheet_name(sheet: Sheet) -> str:
    """Return the name of the sheet."""
    names = {
        "a4-3x8": gettext("A4, 3 x 8 etiquetas (70 x 37 mm)"),
        "a4-4x10": gettext("A4, 4 x 10 etiquetas (52,5 x 29,7 mm)"),
        "letter-5160": gettext("Carta, 3 x 10 etiquetas (Avery 5160)"),
        "roll-62x29": gettext("Rollo (62 x 29 mm)"),
        "roll-50x25": gettext("Rollo (50 x 25 mm)"),
    }
    return names[sheet.key]


QR_MARGIN = 4
"""Modules that stay white around a QR code (ISO/IEC 18004)."""
BARS_MARGIN = 11
"""White modules next to bars: 10 for Code 128 (ISO/IEC 15417), 11 for EAN-13 (ISO/IEC 15420)."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A drawing of ``width`` by ``height`` modules, including the white margin; bars have height 1 and are stretched."""

    width: int
    height: int
    path: str


def qr_symbol(text: str) -> Symbol:
    """Return a QR code that tolerates the loss of 15 %, or more if that needs no larger symbol."""
    # Readers guess the encoding of non-ASCII text, and try UTF-8 first.
    code = segno.make_qr(text, error="m", encoding=None if text.isascii() else "utf-8")
    lines = [
        f"M{x} {y}h{run}v1h-{run}z" for y, row in enumerate(code.matrix, QR_MARGIN) for x, run in _runs(row, QR_MARGIN)
    ]
    side = len(code.matrix) + 2 * QR_MARGIN
    return Symbol(side, side, "".join(lines))


def bar_symbol(code: str) -> Symbol | None:
    """Return EAN-13, UPC-A or EAN-8 if the code is valid, else Code 128; None for characters that bars cannot encode."""
    modules = _modules(code)
    if not modules:
        return None
    lines = [f"M{x} 0h{run}v1h-{run}z" for x, run in _runs(map(int, modules), BARS_MARGIN)]
    return Symbol(len(modules) + 2 * BARS_MARGIN, 1, "".join(lines))


def _modules(code: str) -> str:
    # The library treats non-ASCII characters as control codes: an ñ would become FNC1.
    if not code.isascii() or not code.isprintable():
        return ""
    if code.isdigit() and len(code) in (8, 12, 13):
        kind, digits = (EAN8, code) if len(code) == 8 else (EAN13, code.zfill(13))
        symbol = kind(digits)
        if symbol.get_fullcode() == digits:
            return "".join(symbol.build())
    return "".join(Code128(code).build())


def _runs(modules: Iterable[int], start: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of each run of dark modules."""
    x = start
    for dark, run in groupby(modules):
        length = sum(1 for _ in run)
        if dark:
            yield x, length
        x += length


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
