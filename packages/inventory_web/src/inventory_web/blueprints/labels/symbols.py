"""QR codes and bar codes, as the path of an SVG whose unit is one module."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import segno
from barcode import EAN8, EAN13, Code128

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
