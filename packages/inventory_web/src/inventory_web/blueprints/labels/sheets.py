"""Label sheets, and the layout of a label. All lengths are in millimetres."""

from dataclasses import dataclass
from enum import StrEnum
from math import floor

from flask_babel import gettext

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
