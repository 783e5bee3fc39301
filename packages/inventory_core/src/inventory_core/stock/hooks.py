"""Call the plugins before a change is written, and store an event with it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pluggy import PluginManager

from inventory_core.database.sql_batch import insert_rows, stored_time
from inventory_core.errors import ChangeRefused
from inventory_core.models import OUTBOX
from inventory_core.plugins import ProposedChange, StockChanged
from inventory_core.rules.stock import LedgerEntry, Posting, ProductState
from inventory_core.stock.idempotency import UnitOfWork

STOCK_CHANGED = "stock_changed"
EVENT_HOOKS = {STOCK_CHANGED: "after_stock_change"}
"""Every kind of event that this program knows, with the hook that takes it."""

DUE_IMMEDIATELY = datetime(1970, 1, 1, tzinfo=UTC)
"""Due by every clock: that of this process does not matter."""

EventRow = tuple[Any, ...]
_EVENT_COLUMNS = ("event", "payload", "at", "due_at", "attempts", "last_error", "product_id")
_to_text = json.JSONEncoder(ensure_ascii=False).encode


def has_check_hooks(plugins: PluginManager) -> bool:
    """Return whether some plugin implements ``check_stock_change``."""
    return bool(plugins.hook.check_stock_change.get_hookimpls())


def has_listeners(plugins: PluginManager, event: str = STOCK_CHANGED) -> bool:
    """Return whether some plugin implements the hook of this kind of event; without one no event of the kind is stored."""
    return bool(getattr(plugins.hook, EVENT_HOOKS[event]).get_hookimpls())


def call_check_hooks(
    unit: UnitOfWork, product: ProductState, kind: str, steps: Sequence[LedgerEntry], reason: str
) -> None:
    """Call ``check_stock_change`` for each entry that changes a quantity. Raises ``ChangeRefused`` with the first refusal."""
    if not has_check_hooks(unit.plugins):
        return
    for step in steps:
        if step.quantity == 0:
            continue
        change = ProposedChange(
            kind, product.code, step.place.location, step.quantity, product.quantity, reason, unit.actor
        )
        for refusal in unit.plugins.hook.check_stock_change(change=change):
            raise ChangeRefused(refusal)


class EventNames(NamedTuple):
    """What events say about products and locations, by their ids; the products as they were before the change."""

    products: Mapping[int, ProductState]
    locations: Mapping[int, str]


def insert_events(unit: UnitOfWork, rows: Sequence[EventRow]) -> None:
    """Store rows of ``event_rows``, many in one statement. The products are locked, so their events are numbered in order."""
    insert_rows(unit.connection, OUTBOX, _EVENT_COLUMNS, rows)


def event_rows(
    unit: UnitOfWork,
    kind: str,
    reason: str,
    postings: Sequence[Posting],
    movements: Mapping[tuple[int, int], int],
    names: EventNames,
) -> list[EventRow]:
    """Return the outbox rows for postings; the first one of a product has the change of its total."""
    at, due_at = stored_time(unit.connection, unit.at), stored_time(unit.connection, DUE_IMMEDIATELY)
    at_text = unit.at.isoformat()
    added: dict[int, list[Posting]] = {}
    for posting in postings:
        if posting.after != (posting.before or 0):
            added.setdefault(posting.product_id, []).append(posting)
    rows = []
    for product_id, of_product in added.items():
        product = names.products[product_id]
        before = product.quantity
        after = before + sum(posting.after - (posting.before or 0) for posting in of_product)
        for posting in of_product:
            payload = {
                "id": str(movements[product_id, posting.location_id]),
                "kind": kind,
                "code": product.code,
                "name": product.name,
                "location": names.locations[posting.location_id],
                "quantity": posting.after - (posting.before or 0),
                "total_before": before,
                "total": after,
                "minimum": product.minimum,
                "reason": reason,
                "actor": unit.actor,
                "at": at_text,
            }
            before = after
            rows.append((STOCK_CHANGED, _to_text(payload), at, due_at, 0, "", product_id))
    return rows


def read_event(payload: str) -> StockChanged:
    """Read a stored payload. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for one of another version."""
    fields = json.loads(payload)
    return StockChanged(**(fields | {"at": datetime.fromisoformat(fields["at"])}))
