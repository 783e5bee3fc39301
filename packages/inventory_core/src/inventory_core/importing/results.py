"""The results of a preview and an import."""

from dataclasses import dataclass, field
from typing import Any, Self

from inventory_core.errors import Fault

MAX_FAULTS = 1_000
MAX_SAMPLES = 20
MAX_VALUE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing that is wrong with one value of the file.

    ``row`` is the number in a spreadsheet, ``column`` the header in the file (empty for the row as a whole), ``value`` the
    rejected value (cut to 80 characters; for ``refused`` the text of the plugin), ``reason`` a stable key: those of
    ``errors.Fault`` and ``duplicate`` or ``differs`` (``limit`` is the row that came first), ``unknown``, ``retired``,
    ``ambiguous_location``, ``refused``, ``error_cell`` and ``too_many_cells`` (``limit`` is the number of columns).
    """

    row: int
    column: str
    value: str
    reason: str
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after, as texts; ``before`` is empty for a new product."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowSample:
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
class ImportPreview:
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
class ImportResult:
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
            self.kept.append(RowFault(row, header, value[:MAX_VALUE_LENGTH], reason, limit))

    @property
    def first(self) -> tuple[RowFault, ...]:
        """Return the stored faults, by row."""
        return tuple(sorted(self.kept, key=lambda fault: fault.row))

    def take(self, row: int, faults: list[Fault]) -> None:
        """Record the faults of a rule."""
        for fault in faults:
            self.add(row, fault.field, fault.value, fault.reason, fault.limit)
