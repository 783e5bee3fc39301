"""The table in a file: a header and rows of texts, read again each time they are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Every row that is not blank, with its number as a spreadsheet shows it (the header is usually row 1)."""
        numbered = enumerate(self.records(), start=1)
        for number, _ in numbered:
            if number == self.header_row:
                break
        for number, cells in numbered:
            if (cells and cells[0] and not cells[0].isspace()) or not is_blank(cells):
                yield number, cells


def is_blank(cells: Sequence[str]) -> bool:
    """True if no cell has more than white space."""
    return not any(cells) or not "".join(cells).strip()
