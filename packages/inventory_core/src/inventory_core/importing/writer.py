"""Read the products of an import, and write its changes."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, select

from inventory_core.catalog.revisions import Revision, time_value, write_first_revisions, write_revisions
from inventory_core.database.sql_batch import (
    UPDATE_BATCH_SIZE,
    insert_rows,
    read_time,
    select_in,
    set_by_id,
    stored_time,
    update_rows,
)
from inventory_core.importing.plan import Change, Fields, StoredNames, StoredProduct
from inventory_core.importing.rows import NameKey
from inventory_core.models import BALANCE, CATEGORY, LOCATION, PRODUCT
from inventory_core.rules.stock import MAX_QUANTITY, MovementKind, Posting, ProductState
from inventory_core.rules.texts import search_text, sort_key
from inventory_core.stock.hooks import EventNames
from inventory_core.stock.idempotency import UnitOfWork
from inventory_core.stock.ledger import post

LOCK_BATCH_SIZE = 2_000

# Like StoredProduct._make, but without a Python call for each product.
_known: Callable[[Iterable[Any]], StoredProduct] = partial(tuple.__new__, StoredProduct)

_P, _B = PRODUCT.c, BALANCE.c
_KNOWN = (
    _P.id, _P.code, _P.code_key, _P.name, _P.description, _P.category_id, _P.quantity, _P.minimum, _P.version, _P.retired_at,
)  # fmt: skip
_IDS = (_P.code_key, _P.id)
_BALANCES = (_B.product_id, _B.location_id, _B.quantity)
_LOCK = (
    select(PRODUCT.c.id)
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_CATEGORIES = select(CATEGORY.c.name_key, CATEGORY.c.id, CATEGORY.c.name)
_CATEGORIES_LOCKED = _CATEGORIES.with_for_update(read=True)
_LOCATIONS = select(LOCATION.c.name_key, LOCATION.c.id, LOCATION.c.name, LOCATION.c.is_default)
_LOCATIONS_LOCKED = _LOCATIONS.with_for_update(read=True)

CREATE_BATCH_SIZE = 2_500
"""Products per statement. SQLite writes its search index at the end of each; with 13 parameters each, not many more fit."""
_PRODUCT_COLUMNS = (
    "code", "code_key", "name", "name_key", "description", "category_id", "quantity", "minimum", "version",
    "search_text", "created_at", "changed_at", "retired_at",
)  # fmt: skip
_SEARCHED = {"name", "description", "category_id"}


def read_stored_names(connection: Connection, *, locked: bool) -> StoredNames:
    """Return every category and location; ``locked`` reads the committed state, whatever snapshot the transaction has."""
    wanted = (_CATEGORIES_LOCKED, _LOCATIONS_LOCKED) if locked else (_CATEGORIES, _LOCATIONS)
    categories = {key: (row_id, name) for key, row_id, name in connection.execute(wanted[0])}
    records = connection.execute(wanted[1]).all()
    default = next(NameKey(key, name) for key, _, name, is_default in records if is_default)
    return StoredNames(categories, {key: (row_id, name) for key, row_id, name, _ in records}, default)


def read_stored_products(connection: Connection, keys: Collection[str], *, locked: bool) -> dict[str, StoredProduct]:
    """Return the products with these keys; ``locked`` as in ``select_in``."""
    found = {known.key: known for known in map(_known, select_in(connection, _KNOWN, _P.code_key, keys, locked=locked))}
    for key, known in found.items():
        if known.retired_at is not None:
            found[key] = known._replace(retired_at=read_time(connection, known.retired_at))
    return found


def read_ids(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """Return the ids of the products with these keys."""
    return dict(map(tuple, select_in(connection, _IDS, _P.code_key, keys, locked=False)))


def read_balances(
    connection: Connection, products: Collection[int], *, locked: bool
) -> Mapping[int, Mapping[int, int]]:
    """Return the quantities of these products by location; ``locked`` as in ``select_in``."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for product_id, location_id, quantity in select_in(connection, _BALANCES, _B.product_id, products, locked=locked):
        found[product_id][location_id] = quantity
    return found


def lock_products(connection: Connection, products: Iterable[int]) -> None:
    """Lock products by ascending id, which is the order in which every operation locks."""
    ascending = sorted(products)
    for start in range(0, len(ascending), LOCK_BATCH_SIZE):
        connection.execute(_LOCK, {"products": ascending[start : start + LOCK_BATCH_SIZE]}).all()


class ImportWriter:
    """Writes batches of one import. Existing products are locked, and were read under the lock."""

    def __init__(self, unit: UnitOfWork, places: StoredNames) -> None:
        self._unit = unit
        self._places = places
        self._at = stored_time(unit.connection, unit.at)
        self._texts: list[tuple[int, str]] = []

    def write(self, changes: Sequence[Change]) -> None:
        """Write the changes of one batch; all their categories and locations are stored already."""
        created, edited, stocked = [], [], []
        for change in changes:
            _, known, old, new, _, step = change
            if old is None:
                created.append(change)
            elif known is not None and old != new:
                edited.append((known, change))
            if step is not None:
                stocked.append(change)
        self._insert(created)
        ids = read_ids(self._unit.connection, {change.line.key for change in changes if change.known is None})
        revisions = self._edit(edited)
        self._move(stocked, ids)
        # New products have the highest ids, so all rows are appended to the table.
        write_revisions(self._unit, sorted(revisions))
        write_first_revisions(self._unit, sorted([ids[change.line.key] for change in created]))

    def finish(self) -> None:
        """Write pending rows: SQLite also writes the search index at the end of each statement that changes it."""
        self._set_texts()

    def _move(self, changes: Sequence[Change], ids: dict[str, int]) -> None:
        """Post the stock; the rows of created and edited products already have their totals."""
        locations = self._places.locations
        totals: dict[int, int] = {}
        postings: list[Posting] = []
        for line, known, old, new, _, step in changes:
            if step is None:
                continue
            location, before, after = step
            product_id = ids[line.key] if known is None else known.id
            postings.append(Posting(product_id, locations[location.key][0], before, after))
            if old == new and after != (before or 0):
                totals[product_id] = totals.get(product_id, 0) + after - (before or 0)

        def names() -> EventNames:
            products: dict[int, ProductState] = {}
            for change, posting in zip(changes, postings, strict=True):
                products.setdefault(posting.product_id, _state_before(change, posting))
            return EventNames(products, {row_id: key.name for row_id, key in self._places.location_names.items()})

        post(self._unit, MovementKind.IMPORT, postings, names, totals=totals)

    def _insert(self, changes: Sequence[Change]) -> None:
        rows = []
        for change in changes:
            line, new = change.line, change.new
            category_id, category = self._category(new)
            rows.append(
                (
                    line.code,
                    line.key,
                    new.name,
                    sort_key(new.name),
                    new.description,
                    category_id,
                    change.step.after if change.step is not None else 0,
                    new.minimum,
                    1,
                    search_text(line.code, new.name, new.description, category),
                    self._at,
                    self._at,
                    self._at if new.retired else None,
                )
            )
        insert_rows(self._unit.connection, PRODUCT, _PRODUCT_COLUMNS, rows, CREATE_BATCH_SIZE)

    def _edit(self, edited: Sequence[tuple[StoredProduct, Change]]) -> list[Revision]:
        """Write only the columns that differ: an unchanged column costs as much as a changed one. Return the revisions."""
        rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        revisions = []
        for known, change in edited:
            found, changes = self._differences(known, change)
            revisions.append(Revision.of_changed(known.id, known.version + 1, changes))
            added = found.get("quantity")
            guard = (added, MAX_QUANTITY) if added else ()
            rows[tuple(found)].append((*found.values(), self._at, known.id, known.version, *guard))
            if not _SEARCHED.isdisjoint(found):
                new = change.new
                text = search_text(known.code, new.name, new.description, self._category(new)[1])
                self._texts.append((known.id, text))
        for columns, of_these in rows.items():
            update_rows(self._unit.connection, PRODUCT, _edit_statement(columns), of_these)
        if len(self._texts) >= UPDATE_BATCH_SIZE:
            self._set_texts()
        return revisions

    def _set_texts(self) -> None:
        set_by_id(self._unit.connection, PRODUCT, "search_text", self._texts)
        self._texts.clear()

    def _differences(self, known: StoredProduct, change: Change) -> tuple[dict[str, Any], dict[str, tuple[Any, Any]]]:
        """Return the columns that differ, with their new values (for the quantity, the change), and the changes to record."""
        _, _, old, new, _, step = change
        found: dict[str, Any] = {}
        changes: dict[str, tuple[Any, Any]] = {}
        if old is not None:
            if old.name != new.name:
                found["name"] = new.name
                found["name_key"] = sort_key(new.name)
                changes["name"] = (old.name, new.name)
            if old.description != new.description:
                found["description"] = new.description
                changes["description"] = (old.description, new.description)
            if old.category != new.category:
                found["category_id"] = self._category(new)[0]
                changes["category_id"] = (known.category_id, found["category_id"])
            if old.minimum != new.minimum:
                found["minimum"] = new.minimum
                changes["minimum"] = (old.minimum, new.minimum)
            if old.retired != new.retired:
                found["retired_at"] = self._at if new.retired else None
                changes["retired_at"] = (
                    time_value(known.retired_at),
                    time_value(self._unit.at if new.retired else None),
                )
        if step is not None and step.quantity:
            found["quantity"] = step.quantity
        return found, changes

    def _category(self, fields: Fields) -> tuple[int | None, str]:
        key = fields.category.key
        return self._places.categories[key] if key else (None, "")


def _edit_statement(columns: tuple[str, ...]) -> str:
    values = [f"{column} = quantity + ?" if column == "quantity" else f"{column} = ?" for column in columns]
    guard = "AND quantity + ? BETWEEN 0 AND ?" if "quantity" in columns else ""
    return f"""
        SET {", ".join(values)}, version = version + 1, changed_at = ?
        WHERE id = ? AND version = ? {guard}
    """


def _state_before(change: Change, posting: Posting) -> ProductState:
    """Return the product as it was before the first of its postings."""
    new = change.new
    code = change.line.code if change.known is None else change.known.code
    total = change.total - (posting.after - (posting.before or 0))
    return ProductState(posting.product_id, code, new.name, total, new.minimum, 1, new.retired)
