"""The values that planning speaks in: what is stored, and what a row makes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from inventory_core.imports.results import FieldChange, RowSample
from inventory_core.imports.row_rules import WITHOUT, Line, Named


class Known(NamedTuple):
    """A stored product."""

    id: int
    code: str
    key: str
    name: str
    description: str
    category_id: int | None
    quantity: int
    minimum: int
    version: int
    retired_at: datetime | None


class Fields(NamedTuple):
    """A product's own fields, apart from its code."""

    name: str
    description: str
    category: Named
    minimum: int
    retired: bool


class Step(NamedTuple):
    """One balance is set; ``before`` is None where nothing ever lay."""

    location: Named
    before: int | None
    after: int

    @property
    def quantity(self) -> int:
        """The change, signed; 0 for a place that only becomes known for the product."""
        return self.after - (self.before or 0)


class Change(NamedTuple):
    """What a row does.

    ``known`` is None as long as the product is not stored, ``old`` in the one row that creates it; ``old`` and ``new`` are
    equal if only stock changes. ``total`` is the product's sum afterwards.
    """

    line: Line
    known: Known | None
    old: Fields | None
    new: Fields
    total: int
    step: Step | None

    @property
    def is_seen(self) -> bool:
        """False if no field and no quantity changes: a place only becomes known for the product."""
        return self.old != self.new or (self.step is not None and self.step.quantity != 0)


@dataclass(slots=True)
class Places:
    """The stored categories and locations by folded name, and their names by id; an import adds to them."""

    categories: dict[str, tuple[int, str]]
    locations: dict[str, tuple[int, str]]
    default: Named
    category_names: dict[int | None, Named] = field(default_factory=dict)
    location_names: dict[int, Named] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.category_names[None] = WITHOUT
        self.add(self.categories, self.locations)

    def add(self, categories: Mapping[str, tuple[int, str]], locations: Mapping[str, tuple[int, str]]) -> None:
        """Note what is stored by now."""
        self.categories |= categories
        self.locations |= locations
        self.category_names |= {row_id: Named(key, name) for key, (row_id, name) in categories.items()}
        self.location_names |= {row_id: Named(key, name) for key, (row_id, name) in locations.items()}

    def lacks(self, known: Iterable[Known], balances: Iterable[Mapping[int, int]]) -> bool:
        """True if one of these products or balances names a category or location that was stored since."""
        categories = {product.category_id for product in known} - self.category_names.keys()
        return bool(categories) or any(here.keys() - self.location_names.keys() for here in balances)


def sample(change: Change) -> RowSample:
    """Show a change to a person."""
    old, new = change.old, change.new
    changes = []
    for name in ("name", "description", "category", "minimum"):
        before, after = shown(getattr(old, name, "")), shown(getattr(new, name))
        if before != after:
            changes.append(FieldChange(name, before, after))
    if change.step is not None:
        changes.append(FieldChange("quantity", str(change.step.before or 0), str(change.step.after)))
    code = change.line.code if change.known is None else change.known.code
    return RowSample(change.line.row, code, _action(old, new), tuple(changes))


def _action(old: Fields | None, new: Fields) -> str:
    if old is None:
        return "create"
    if old.retired != new.retired:
        return "retire" if new.retired else "restore"
    return "stock" if old == new else "update"


def shown(value: object) -> str:
    """The value of a field as a text."""
    return value.name if isinstance(value, Named) else str(value)
