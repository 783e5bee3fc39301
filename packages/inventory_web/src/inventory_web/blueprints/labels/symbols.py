"""What a machine reads on a label: a QR code or bars, as the path of an SVG whose unit is one module."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import segno
from barcode import EAN8, EAN13, Code128

QR_MARGIN = 4
"""Modules that stay white around a QR code (ISO/IEC 18004)."""
BARS_MARGIN = 11
"""Modules that stay white beside bars: 10 for Code 128 (ISO/IEC 15417), 11 for EAN-13 (ISO/IEC 15420)."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A drawing of ``width`` by ``height`` modules, white margin included; bars are 1 high and are to be stretched."""

    width: int
    height: int
    path: str


def qr_symbol(text: str) -> Symbol:
    """A QR code that can be read with 15 % of it lost, or more if that costs no room."""
    # Readers guess the encoding of what is not ASCII, and guess UTF-8 first.
    code = segno.make_qr(text, error="m", encoding=None if text.isascii() else "utf-8")
    lines = [
        f"M{x} {y}h{run}v1h-{run}z" for y, row in enumerate(code.matrix, QR_MARGIN) for x, run in _runs(row, QR_MARGIN)
    ]
    side = len(code.matrix) + 2 * QR_MARGIN
    return Symbol(side, side, "".join(lines))


def bar_symbol(code: str) -> Symbol | None:
    """EAN-13, UPC-A or EAN-8 for a code that is one, else Code 128; None for characters that no bars can hold."""
    modules = _modules(code)
    if not modules:
        return None
    lines = [f"M{x} 0h{run}v1h-{run}z" for x, run in _runs(map(int, modules), BARS_MARGIN)]
    return Symbol(len(modules) + 2 * BARS_MARGIN, 1, "".join(lines))


def _modules(code: str) -> str:
    # The library takes what lies beyond ASCII for control signs: an ñ would become FNC1.
    if not code.isascii() or not code.isprintable():
        return ""
    if code.isdigit() and len(code) in (8, 12, 13):
        kind, digits = (EAN8, code) if len(code) == 8 else (EAN13, code.zfill(13))
        symbol = kind(digits)
        if symbol.get_fullcode() == digits:
            return "".join(symbol.build())
    return "".join(Code128(code).build())


def _runs(modules: Iterable[int], start: int) -> Iterator[tuple[int, int]]:
    """Where each run of dark modules begins, and how long it is."""
    x = start
    for dark, run in groupby(modules):
        length = sum(1 for _ in run)
        if dark:
            yield x, length
        x += length
