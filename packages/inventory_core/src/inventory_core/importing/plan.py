"""Decide what each row changes, for preview and import."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from inventory_core.importing.reader import Table
from inventory_core.importing.results import Counts, FaultCollector, FieldChange, RowSample
from inventory_core.importing.rows import WITHOUT, NameKey, ParsedRow
from inventory_core.plugins import ProposedChange
from inventory_core.rules.stock import MAX_QUANTITY, MovementKind

Check = Callable[[ProposedChange], Sequence[str]]
"""Calls the check hooks with a change; returns their refusals."""
Balances = Mapping[int, Mapping[int, int]]
"""Quantities by product and location."""
_NOWHERE: Mapping[int, int] = {}


class StoredProduct(NamedTuple):
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
    """The fields of a product, apart from its code."""

    name: str
    description: str
    category: NameKey
    minimum: int
    retired: bool


class BalanceStep(NamedTuple):
    """A new balance; ``before`` is None if there was none."""

    location: NameKey
    before: int | None
    after: int

    @property
    def quantity(self) -> int:
        """Return the signed change; 0 if the product only gets the location."""
        return self.after - (self.before or 0)


class Change(NamedTuple):
    """The effect of a row.

    ``known`` is None until the product is stored, ``old`` in the one row that creates it; ``old`` and ``new`` are equal if only
    stock changes. ``total`` is the product's sum afterwards.
    """

    line: ParsedRow
    known: StoredProduct | None
    old: Fields | None
    new: Fields
    total: int
    step: BalanceStep | None

    @property
    def is_seen(self) -> bool:
        """Return False if no field and no quantity changes: the product only gets a location."""
        return self.old != self.new or (self.step is not None and self.step.quantity != 0)


@dataclass(slots=True)
class StoredNames:
    """The stored categories and locations by folded name, and their names by id; an import adds to them."""

    categories: dict[str, tuple[int, str]]
    locations: dict[str, tuple[int, str]]
    default: NameKey
    category_names: dict[int | None, NameKey] = field(default_factory=dict)
    location_names: dict[int, NameKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.category_names[None] = WITHOUT
        self.add(self.categories, self.locations)

    def add(self, categories: Mapping[str, tuple[int, str]], locations: Mapping[str, tuple[int, str]]) -> None:
        """Add categories and locations that were stored."""
        self.categories |= categories
        self.locations |= locations
        self.category_names |= {row_id: NameKey(key, name) for key, (row_id, name) in categories.items()}
        self.location_names |= {row_id: NameKey(key, name) for key, (row_id, name) in locations.items()}

    def lacks(self, known: Iterable[StoredProduct], balances: Iterable[Mapping[int, int]]) -> bool:
        """Return whether one of these products or balances names a category or location that was stored since."""
        categories = {product.category_id for product in known} - self.category_names.keys()
        return bool(categories) or any(here.keys() - self.location_names.keys() for here in balances)


def sample(change: Change) -> RowSample:
    """Return a readable form of a change."""
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
    """Return the value of a field as a text."""
    return value.name if isinstance(value, NameKey) else str(value)


class _Refused(Exception):
    """The row cannot be imported: the field, its value, the reason and its limit."""

    def __init__(self, field: str, value: str, reason: str, limit: int | None = None) -> None:
        self.fault = (field, value, reason, limit)
        super().__init__(reason)


class _Seen(NamedTuple):
    """The effect of earlier rows on a product, if it has several rows: one per location."""

    row: int
    new: Fields
    total: int
    whole: bool


@dataclass(slots=True)
class ImportHooks:
    """The actor of the import, and the check hooks: None if no plugin has one."""

    actor: str
    check: Check | None


class Planner:
    """Classifies the rows of one table, in batches; remembers what the earlier ones did."""

    def __init__(self, table: Table, places: StoredNames, log: FaultCollector, watch: ImportHooks) -> None:
        self.counts = Counts()
        self.places = places
        self.new_categories: dict[str, str] = {}
        self.new_locations: dict[str, str] = {}
        self._log = log
        self._watch = watch
        self._creates = table.kind == "products"
        self._sets_state = "retired" in table.places
        self._several = "location" in table.places
        self._rows: dict[str | tuple[str, str], int] = {}
        self._seen: dict[str, _Seen] = {}

    def needs_balances(self, line: ParsedRow, known: StoredProduct) -> bool:
        """Return whether the line sets a quantity that the product's total does not determine."""
        return line.quantity is not None and (line.location is not None or line.quantity != known.quantity)

    def plan(self, lines: Iterable[ParsedRow], known: Mapping[str, StoredProduct], balances: Balances) -> list[Change]:
        """Return the changes of the lines; records faults, counts the rest, and omits lines that change nothing."""
        plan = self._plan_one_of_several if self._several else self._plan_only
        changes = []
        for line in lines:
            try:
                if line.faulty:
                    self._look_at_faulty(line, known.get(line.key))
                    continue
                change = plan(line, known.get(line.key), balances)
            except _Refused as refused:
                self._log.add(line.row, *refused.fault)
            else:
                if self._count(change):
                    changes.append(change)
        return changes

    def _look_at_faulty(self, line: ParsedRow, known: StoredProduct | None) -> None:
        """Check the code of a line with other faults: it may be duplicated or unknown."""
        if not self._several:
            self._first_with(line.key, line)
        elif line.location is not None:
            self._first_with((line.key, line.location.key), line)
        if known is None and not self._creates:
            raise _Refused("code", line.code, "unknown")

    def _first_with(self, name: str | tuple[str, str], line: ParsedRow) -> None:
        first = self._rows.setdefault(name, line.row)
        if first != line.row:
            raise _Refused("code", line.code, "duplicate", first)

    def _plan_only(self, line: ParsedRow, known: StoredProduct | None, balances: Balances) -> Change:
        if self._rows.setdefault(line.key, line.row) != line.row:
            self._first_with(line.key, line)
        return self._created(line) if known is None else self._changed(line, known, balances)

    def _plan_one_of_several(self, line: ParsedRow, known: StoredProduct | None, balances: Balances) -> Change:
        self._first_with((line.key, line.location.key if line.location else ""), line)
        seen = self._seen.get(line.key)
        if seen is not None:
            change = self._again(line, known, seen, balances)
        elif known is not None:
            change = self._changed(line, known, balances)
        elif self._creates:
            change = self._created(line)
        else:
            raise _Refused("code", line.code, "unknown")
        first = seen.row if seen else line.row
        self._seen[line.key] = _Seen(first, change.new, change.total, line.location is None)
        return change

    def _created(self, line: ParsedRow) -> Change:
        _, _, _, name, description, category, location, quantity, minimum, retired, _ = line
        new = Fields(name or "", description or "", category or WITHOUT, minimum or 0, retired is True)
        step = None
        if quantity is not None and (location is not None or quantity):
            step = BalanceStep(location or self.places.default, None, quantity)
        return self._checked(line, None, None, new, 0, step)

    def _changed(self, line: ParsedRow, known: StoredProduct, balances: Balances) -> Change:
        category = self.places.category_names[known.category_id]
        old = Fields(known.name, known.description, category, known.minimum, known.retired_at is not None)
        new = self._requested_fields(line, old)
        step = None
        if self.needs_balances(line, known):
            here = balances.get(known.id, _NOWHERE)
            place = line.location or self._only_place(here)
            if place is None:
                raise _Refused("quantity", str(line.quantity), "ambiguous_location")
            step = self._step(line, place, here)
        if old.retired and new.retired and (step is not None or old != new):
            raise _Refused("code", line.code, "retired")
        return self._checked(line, known, old, new, known.quantity, step)

    def _again(self, line: ParsedRow, known: StoredProduct | None, seen: _Seen, balances: Balances) -> Change:
        if line.location is None or seen.whole:
            raise _Refused("code", line.code, "duplicate", seen.row)
        requested = self._requested_fields(line, seen.new)
        for name, wanted, before in zip(Fields._fields, requested, seen.new, strict=True):
            if wanted != before:
                raise _Refused(name, shown(wanted), "differs", seen.row)
        here = balances.get(known.id, _NOWHERE) if known is not None else _NOWHERE
        step = self._step(line, line.location, here)
        if step is not None and known is not None and known.retired_at is not None and seen.new.retired:
            raise _Refused("code", line.code, "retired")
        return self._checked(line, known, seen.new, seen.new, seen.total, step)

    def _requested_fields(self, line: ParsedRow, old: Fields) -> Fields:
        """Return the fields that the line requests. Without a column for it, a row of a retired product restores it."""
        old_name, old_description, old_category, old_minimum, retired = old
        _, _, _, name, description, category, _, _, minimum, requested, _ = line
        if requested is not None:
            retired = requested
        elif self._creates and not self._sets_state:
            retired = False
        return Fields(
            old_name if name is None else name,
            old_description if description is None else description,
            old_category if category is None or category.key == old_category.key else category,
            old_minimum if minimum is None else minimum,
            retired,
        )

    def _only_place(self, here: Mapping[int, int]) -> NameKey | None:
        """Return the location for a total: the product's only one, or the default one; None if it has several."""
        filled = [place for place, quantity in here.items() if quantity]
        if not filled:
            return self.places.default
        return self.places.location_names[filled[0]] if len(filled) == 1 else None

    def _step(self, line: ParsedRow, place: NameKey, here: Mapping[int, int]) -> BalanceStep | None:
        stored = self.places.locations.get(place.key)
        before = None if stored is None else here.get(stored[0])
        return None if line.quantity is None or line.quantity == before else BalanceStep(place, before, line.quantity)

    def _checked(
        self,
        line: ParsedRow,
        known: StoredProduct | None,
        old: Fields | None,
        new: Fields,
        total: int,
        step: BalanceStep | None,
    ) -> Change:
        """Return the change, unless its total is too large or a plugin refuses it; records the new names."""
        after = total
        if step is not None:
            after += step.quantity
            if after > MAX_QUANTITY:
                raise _Refused("quantity", str(line.quantity), "too_large", MAX_QUANTITY)
            if self._watch.check is not None and step.quantity:
                code = line.code if known is None else known.code
                proposed = ProposedChange(
                    MovementKind.IMPORT, code, step.location.name, step.quantity, total, "", self._watch.actor
                )
                for refusal in self._watch.check(proposed):
                    raise _Refused("quantity", refusal, "refused")
            if step.location.key not in self.places.locations:
                self.new_locations.setdefault(step.location.key, step.location.name)
        if new.category.key and new.category.key not in self.places.categories:
            self.new_categories.setdefault(new.category.key, new.category.name)
        return Change(line, known, old, new, after, step)

    def _count(self, change: Change) -> bool:
        """Count a change; return False if it changes nothing, not even the locations of its product."""
        counts, (_, _, old, new, _, step) = self.counts, change
        moved = step is not None and step.quantity != 0
        counts.stock_changes += moved
        if old is None:
            counts.created += 1
        elif old == new:
            counts.unchanged += not moved
            return step is not None
        elif old.retired and not new.retired:
            counts.restored += 1
        elif new.retired:
            counts.retired += 1
        else:
            counts.updated += 1
        return True
