"""The table in a file: a header and rows of texts, read again each time they are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter

ROWS_AT_ONCE = 500
"""Few in flight spare the garbage collector."""

_first = itemgetter(0)
Records = Callable[[], Iterator[Sequence[str]]]
"""Gives every record of the file from the first one, blank ones included."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read and whose header was understood; its rows are not checked yet.

    ``headers`` are the texts of the header, ``places`` the column of each field that is known (see ``headers``), ``sheet``
    the sheet of a workbook, ``size`` the number of rows that are not blank, ``digest`` the SHA-256 of the content.
    """

    headers: tuple[str, ...]
    places: Mapping[str, int]
    sheet: str | None
    size: int
    digest: str
    header_row: int
    records: Records = field(repr=False)
    error_cells: Mapping[int, Mapping[int, str]] = field(default_factory=dict, repr=False)
    """Cells in which a spreadsheet shows an error such as ``#N/A``, by row and column."""

    @property
    def kind(self) -> str:
        """``products``, or ``stock``: a file that sets balances only."""
        return "products" if "name" in self.places else "stock"

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """The headers that an import does not read, without the time of the last change, which exports write."""
        used = set(self.places.values())
        return tuple(header for place, header in enumerate(self.headers) if place not in used and header)

    def portions(self) -> Iterator[tuple[Sequence[int], Sequence[Sequence[str]]]]:
        """The rows that are not blank, some hundreds at a time: their numbers as a spreadsheet shows them, and their cells.

        The header is usually row 1.
        """
        records = self.records()
        for _ in islice(records, self.header_row):
            pass
        first = self.header_row + 1
        while portion := list(islice(records, ROWS_AT_ONCE)):
            numbers: Sequence[int] = range(first, first + len(portion))
            first += len(portion)
            if has_blank_ones(portion):
                kept = [(number, cells) for number, cells in zip(numbers, portion, strict=True) if not is_blank(cells)]
                numbers, portion = [number for number, _ in kept], [cells for _, cells in kept]
            if portion:
                yield numbers, portion

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Every row that is not blank, with its number."""
        for numbers, portion in self.portions():
            yield from zip(numbers, portion, strict=True)


def has_blank_ones(records: Sequence[Sequence[str]]) -> bool:
    """False if no record is blank, which most often the first cells tell already."""
    return not (all(records) and all(map(str.strip, map(_first, records)))) and any(map(is_blank, records))


def is_blank(cells: Sequence[str]) -> bool:
    """True if no cell has more than white space."""
    return not any(cells) or not "".join(cells).strip()
