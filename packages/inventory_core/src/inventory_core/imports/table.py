"""The table in a file: a header and rows of texts, read again each time they are needed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inventory_core.imports.frames import Rows


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read and whose header was understood; its rows are not checked yet.

    Attributes:
        headers: The texts of the header.
        places: The column of each field that is known (see ``headers``).
        sheet: The sheet of a workbook.
        size: The number of rows that are not blank.
        digest: The SHA-256 of the content.
        portions: The rows that are not blank, some hundreds at a time, from the first one at each iteration.
    """

    headers: tuple[str, ...]
    places: Mapping[str, int]
    sheet: str | None
    size: int
    digest: str
    portions: Iterable[Rows] = field(repr=False)

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
        """Every row that is not blank, with its number as a spreadsheet shows it."""
        for portion in self.portions:
            yield from zip(portion.numbers, portion.cells, strict=True)
