"""Lock products, plan ledger entries for many of them, and post: the only writer of balances, movements and totals."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, bindparam, insert, select

from inventory_core.database.sql_batch import insert_rows, stored_time, update_rows
from inventory_core.errors import LocationNotFound, ProductNotFound
from inventory_core.models import BALANCE, LOCATION, MOVEMENT, PRODUCT
from inventory_core.rules.products import location_faults, normalize_location
from inventory_core.rules.stock import (
    MAX_QUANTITY,
    LedgerEntry,
    MovementKind,
    Posting,
    ProductState,
    StockAtLocation,
    plan_entry,
    require_active,
    total_after,
)
from inventory_core.rules.texts import code_faults, code_key, normalize_code, sort_key
from inventory_core.stock.hooks import EventNames, call_check_hooks, event_rows, has_listeners, insert_events
from inventory_core.stock.idempotency import UnitOfWork

PRODUCT_BATCH_SIZE = 500
"""Products that are locked, planned and posted together."""

PRODUCT_STATE = select(
    PRODUCT.c.id,
    PRODUCT.c.code,
    PRODUCT.c.name,
    PRODUCT.c.quantity,
    PRODUCT.c.minimum,
    PRODUCT.c.version,
    PRODUCT.c.retired_at.is_not(None),
)
"""Columns of ``ProductState``, in its order."""

_BY_CODE = PRODUCT_STATE.where(PRODUCT.c.code_key == bindparam("key")).with_for_update()
_BY_ID = PRODUCT_STATE.where(PRODUCT.c.id == bindparam("key")).with_for_update()

# The locking read sees what is committed now, whatever snapshot the session has.
_PLACE = (
    select(LOCATION.c.id, LOCATION.c.name, BALANCE.c.quantity)
    .select_from(
        LOCATION.outerjoin(
            BALANCE, (BALANCE.c.location_id == LOCATION.c.id) & (BALANCE.c.product_id == bindparam("product"))
        )
    )
    .with_for_update(of=BALANCE)
)
_PLACE_NAMED = _PLACE.where(LOCATION.c.name_key == bindparam("key"))
_PLACE_BY_ID = _PLACE.where(LOCATION.c.id == bindparam("key"))
_PLACE_DEFAULT = _PLACE.where(LOCATION.c.is_default.is_(True))

_STATES = (
    PRODUCT_STATE.where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
    .order_by(PRODUCT.c.id)
    .with_for_update()
)
_BALANCES = (
    select(BALANCE.c.product_id, BALANCE.c.location_id, BALANCE.c.quantity)
    .where(BALANCE.c.product_id.in_(bindparam("products", expanding=True)))
    .with_for_update()
)
_LOCATIONS = select(LOCATION.c.id, LOCATION.c.name)
_MOVEMENT_IDS = select(MOVEMENT.c.product_id, MOVEMENT.c.location_id, MOVEMENT.c.id).where(
    MOVEMENT.c.operation_id == bindparam("of"), MOVEMENT.c.product_id.in_(bindparam("products", expanding=True))
)
_ADD_TO_TOTAL = "SET quantity = quantity + ?, changed_at = ? WHERE id = ? AND quantity + ? BETWEEN 0 AND ?"
_SET_BALANCE = "SET quantity = ? WHERE product_id = ? AND location_id = ? AND quantity = ?"
_BALANCE_COLUMNS = ("product_id", "location_id", "quantity")
_ADD_MOVEMENT = insert(MOVEMENT)
_MOVEMENT_COLUMNS = (
    "kind", "product_id", "location_id", "quantity", "balance_after", "reason", "actor", "at", "operation_id", "undoes_id",
)  # fmt: skip

MovementIds = Mapping[tuple[int, int], int]
"""Ids of movements by product and location."""


def lock_product(unit: UnitOfWork, code: str) -> ProductState:
    """Lock the product with this code until the unit ends. Raises ``ProductNotFound``."""
    cleaned = normalize_code(code)
    # No product has an invalid code, and some drivers cannot even send one.
    faults = code_faults(cleaned, stored=True)
    record = None if faults else unit.connection.execute(_BY_CODE, {"key": code_key(cleaned)}).first()
    if record is None:
        raise ProductNotFound(code)
    product = ProductState(*record)
    unit.products.add(product.id)
    return product


def lock_product_by_id(unit: UnitOfWork, product_id: int) -> ProductState:
    """Lock the product with this id, which exists, until the unit ends."""
    unit.products.add(product_id)
    return ProductState(*unit.connection.execute(_BY_ID, {"key": product_id}).one())


def find_place(unit: UnitOfWork, product: ProductState, location: str | None) -> StockAtLocation:
    """Return the stock of a locked product in a location; None is the default one. Raises ``LocationNotFound``."""
    if location is None:
        record = unit.connection.execute(_PLACE_DEFAULT, {"product": product.id}).first()
    else:
        cleaned = normalize_location(location)
        if location_faults(cleaned, stored=True):
            raise LocationNotFound(location)
        record = unit.connection.execute(_PLACE_NAMED, {"product": product.id, "key": sort_key(cleaned)}).first()
    if record is None:
        raise LocationNotFound(location or "")
    return StockAtLocation(*record)


def find_place_by_id(unit: UnitOfWork, product: ProductState, location_id: int) -> StockAtLocation:
    """Return the stock of a locked product in the location with this id, which exists."""
    return StockAtLocation(*unit.connection.execute(_PLACE_BY_ID, {"product": product.id, "key": location_id}).one())


def inserted_id(result: CursorResult[Any]) -> int:
    """Return the key of the inserted row."""
    key = result.inserted_primary_key
    if key is None:
        raise LookupError("the database gave no key to an inserted row")
    return int(key[0])


def post(
    unit: UnitOfWork,
    kind: MovementKind,
    postings: Sequence[Posting],
    names: Callable[[], EventNames],
    *,
    reason: str = "",
    totals: Mapping[int, int] | None = None,
    returns_ids: bool = False,
) -> MovementIds:
    """Write the balances, movements and totals of locked products, and store the events of the changes.

    Every change of stock is written here, in a number of statements that does not depend on the number of postings. A posting
    without a change takes no movement, unless it is a count.

    Args:
        unit: The unit of work. Each product and location appears at most once in the postings of all its calls.
        kind: The kind of all the movements.
        postings: The balances as they were read under the locks, and as they become.
        names: Returns what events say about the products; only called if a plugin listens.
        reason: The reason of all the movements.
        totals: By product, what is added to its total; by default the sum of its postings. Less if the caller writes a
            product's row together with its total.
        returns_ids: Whether the caller needs the ids.

    Returns:
        The ids of the movements if the caller or a plugin needs them, else nothing.

    Raises:
        DatabaseBusy: A lock did not hold: a balance or total is not what was read.
    """
    if not postings:
        return {}
    connection = unit.connection
    at = stored_time(connection, unit.at)
    if totals is None:
        totals = Counter()
        for product, _, before, after, _ in postings:
            totals[product] += after - (before or 0)
    rows: list[tuple[Any, ...]] = [(added, at, product, added, MAX_QUANTITY) for product, added in totals.items()]
    update_rows(connection, PRODUCT, _ADD_TO_TOTAL, rows)
    new = [(product, location, after) for product, location, before, after, _ in postings if before is None]
    insert_rows(connection, BALANCE, _BALANCE_COLUMNS, new)
    rows = [
        (after, product, location, before) for product, location, before, after, _ in postings if before is not None
    ]
    update_rows(connection, BALANCE, _SET_BALANCE, rows)
    shared = (reason, unit.actor, at, unit.operation)
    rows = [
        (kind.value, product, location, after - (before or 0), after, *shared, undoes)
        for product, location, before, after, undoes in postings
        if after != (before or 0) or kind is MovementKind.COUNT
    ]
    listens = has_listeners(unit.plugins)
    ids = _insert_movements(unit, rows, returns_ids=returns_ids or listens)
    if listens and ids:
        insert_events(unit, event_rows(unit, kind, reason, postings, ids, names()))
    return ids


def _insert_movements(unit: UnitOfWork, rows: Sequence[tuple[Any, ...]], *, returns_ids: bool) -> MovementIds:
    if len(rows) == 1:
        row = dict(zip(_MOVEMENT_COLUMNS, rows[0], strict=True)) | {"at": unit.at}
        product, location = row["product_id"], row["location_id"]
        return {(product, location): inserted_id(unit.connection.execute(_ADD_MOVEMENT, row))}
    insert_rows(unit.connection, MOVEMENT, _MOVEMENT_COLUMNS, rows)
    if not returns_ids or not rows:
        return {}
    keys = {"of": unit.operation, "products": list({row[1] for row in rows})}
    return {(record[0], record[1]): record[2] for record in unit.connection.execute(_MOVEMENT_IDS, keys)}


class PostedEntries(NamedTuple):
    """The ids of the movements of one product's entries, by location, and the product's total after them."""

    movements: tuple[int, ...]
    total: int


def post_entries(
    unit: UnitOfWork, product: ProductState, kind: MovementKind, entries: Sequence[LedgerEntry], reason: str = ""
) -> PostedEntries:
    """Check and post the entries of one locked product.

    They come from ``rules.stock`` over places that were read under the lock, each place once. Raises ``ProductRetired``,
    ``QuantityLimit``, ``ChangeRefused`` or ``DatabaseBusy``.
    """
    entries = sorted(entries, key=lambda entry: entry.place.location_id)
    total = _check(unit, product, kind, entries, reason)
    names = EventNames({product.id: product}, {entry.place.location_id: entry.place.location for entry in entries})
    postings = [_posting(product, entry) for entry in entries]
    ids = post(unit, kind, postings, lambda: names, reason=reason, returns_ids=True)
    return PostedEntries(tuple(ids[product.id, entry.place.location_id] for entry in entries), total)


class BalanceChange(NamedTuple):
    """A signed change (not 0) of one balance, by existing ids.

    ``undoes_id`` names the movement that the change undoes.
    """

    product_id: int
    location_id: int
    quantity: int
    undoes_id: int | None = None


def post_changes(unit: UnitOfWork, changes: Iterable[BalanceChange], *, kind: MovementKind, reason: str = "") -> int:
    """Lock, check and post changes of many balances; return the number of movements.

    Each (product, location) may occur once in the whole unit. Products are locked by ascending id, in batches, so memory use
    stays small apart from the changes themselves. Raises ``ProductRetired``, ``InsufficientStock``, ``QuantityLimit`` or
    ``ChangeRefused``.
    """
    locations = {record[0]: record[1] for record in unit.connection.execute(_LOCATIONS)}
    movements = 0
    for batch in _batches(sorted(changes)):
        products, postings = _plan(unit, batch, locations, kind, reason)
        post(unit, kind, postings, partial(EventNames, products, locations), reason=reason)
        movements += len(postings)
    return movements


def _batches(changes: Sequence[BalanceChange]) -> Iterator[dict[int, list[BalanceChange]]]:
    products = ((key, list(group)) for key, group in groupby(changes, key=lambda change: change.product_id))
    while batch := dict(islice(products, PRODUCT_BATCH_SIZE)):
        yield batch


def _plan(
    unit: UnitOfWork,
    batch: dict[int, list[BalanceChange]],
    locations: Mapping[int, str],
    kind: MovementKind,
    reason: str,
) -> tuple[Mapping[int, ProductState], list[Posting]]:
    """Lock the products of a batch and check their entries."""
    keys = {"products": list(batch)}
    products = {record[0]: ProductState(*record) for record in unit.connection.execute(_STATES, keys)}
    balances = {(record[0], record[1]): record[2] for record in unit.connection.execute(_BALANCES, keys)}
    planned = []
    for product in products.values():
        require_active(product)
        entries = []
        for _, location_id, quantity, undoes_id in batch[product.id]:
            place = StockAtLocation(location_id, locations[location_id], balances.get((product.id, location_id)))
            entries.append(plan_entry(product, place, quantity, undoes_id))
        planned.append((product, entries))
    for product, entries in planned:
        _check(unit, product, kind, entries, reason)
    return products, [_posting(product, entry) for product, entries in planned for entry in entries]


def _check(
    unit: UnitOfWork, product: ProductState, kind: MovementKind, entries: Sequence[LedgerEntry], reason: str
) -> int:
    """Refuse what the rules or a plugin do not allow; return the product's total after the entries."""
    require_active(product)
    total = total_after(product, entries)
    call_check_hooks(unit, product, kind, entries, reason)
    return total


def _posting(product: ProductState, entry: LedgerEntry) -> Posting:
    return Posting(product.id, entry.place.location_id, entry.place.quantity, entry.after, entry.undoes_id)
