"""The results of a preview and an import."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from inventory_core.errors import Fault
from inventory_core.records import Record

MAX_FAULTS = 1_000
MAX_SAMPLES = 20
MAX_VALUE_LENGTH = 80


class FaultReason(StrEnum):
    """Why a value of a file is refused."""

    REQUIRED = "required"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    INVISIBLE = "invisible"
    NOT_WHOLE = "not_whole"
    NEGATIVE = "negative"
    TOO_LARGE = "too_large"
    UNKNOWN = "unknown"
    DUPLICATE = "duplicate"
    DIFFERS = "differs"
    RETIRED = "retired"
    AMBIGUOUS_LOCATION = "ambiguous_location"
    REFUSED = "refused"
    ERROR_CELL = "error_cell"
    TOO_MANY_CELLS = "too_many_cells"


@dataclass(frozen=True, slots=True)
class RowFault(Record):
    """One thing that is wrong with one value of the file.

    ``row`` is the number in a spreadsheet, ``column`` the header in the file (empty for the row as a whole), ``value`` the
    rejected value (cut to 80 characters; for ``REFUSED`` the text of the plugin). ``limit`` is the number that the reason refers
    to: for ``DUPLICATE`` and ``DIFFERS`` the row that came first, for ``TOO_MANY_CELLS`` the number of columns.
    """

    row: int
    column: str
    value: str
    reason: FaultReason
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class FieldChange(Record):
    """A field before and after, as texts; ``before`` is empty for a new product."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowSample(Record):
    """The effect of one row: ``action`` is ``create``, ``update``, ``restore``, ``retire`` or ``stock``."""

    row: int
    code: str
    action: str
    changes: tuple[FieldChange, ...]


@dataclass(slots=True)
class Counts:
    """The running totals of the rows.

    ``created``, ``restored``, ``retired`` and ``updated`` are products (each counts once, as the first that applies),
    ``stock_changes`` balances that get another quantity (each has its movement), ``unchanged`` rows that change no field and no
    quantity.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    restored: int = 0
    retired: int = 0
    unchanged: int = 0
    stock_changes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview(Record):
    """The result of a preview.

    The counts are those of ``Counts``; rows with faults count only in ``rows``. ``faults`` are the first 1,000 of ``faults_total``,
    ``samples`` the first 20 rows that change something.
    """

    kind: str
    rows: int
    created: int
    updated: int
    restored: int
    retired: int
    unchanged: int
    stock_changes: int
    new_categories: tuple[str, ...]
    new_locations: tuple[str, ...]
    unused_columns: tuple[str, ...]
    faults: tuple[RowFault, ...]
    faults_total: int
    samples: tuple[RowSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult(Record):
    """The result of an import; ``operation`` is the id to undo it. The counts are those of ``Counts``."""

    operation: str
    kind: str
    rows: int
    created: int
    updated: int
    restored: int
    retired: int
    unchanged: int
    stock_changes: int
    new_categories: tuple[str, ...]
    new_locations: tuple[str, ...]
    unused_columns: tuple[str, ...]
    replayed: bool = field(default=False, compare=False)

    @classmethod
    def decode(cls, kept: dict[str, Any]) -> Self:
        """Decode a stored result."""
        texts = {name: tuple(kept[name]) for name in ("new_categories", "new_locations", "unused_columns")}
        return cls(**(kept | texts))


@dataclass(slots=True)
class FaultCollector:
    """Collects faults; keeps the first ones and counts all."""

    columns: dict[str, str]
    total: int = 0
    kept: list[RowFault] = field(default_factory=list)

    def add(self, row: int, column: str, value: str, reason: str, limit: int | None = None) -> None:
        """Record a fault; ``column`` is a field or a header."""
        self.total += 1
        if len(self.kept) < MAX_FAULTS:
            header = self.columns.get(column, column)
            self.kept.append(RowFault(row, header, value[:MAX_VALUE_LENGTH], FaultReason(reason), limit))

    @property
    def first(self) -> tuple[RowFault, ...]:
        """Return the stored faults, by row."""
        return tuple(sorted(self.kept, key=lambda fault: fault.row))

    def take(self, row: int, faults: list[Fault]) -> None:
        """Record the faults of a rule."""
        for fault in faults:
            self.add(row, fault.field, fault.value, fault.reason, fault.limit)
