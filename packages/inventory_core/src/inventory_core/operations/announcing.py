"""Plugins are asked before a change is written, and an event is stored with it."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pluggy import PluginManager
from sqlalchemy import insert

from inventory_core.errors import ChangeRefused
from inventory_core.events import ProposedChange, StockChanged
from inventory_core.operations.carrying_out import Unit
from inventory_core.rules.stock_changes import ProductState, Step
from inventory_core.tables.plain import OUTBOX

STOCK_CHANGED = "stock_changed"

_ADD_EVENT = insert(OUTBOX)


def is_asked(plugins: PluginManager) -> bool:
    """True if some plugin implements ``check_stock_change``."""
    return bool(plugins.hook.check_stock_change.get_hookimpls())


def is_told(plugins: PluginManager) -> bool:
    """True if some plugin implements ``after_stock_change``; events are stored for nobody otherwise."""
    return bool(plugins.hook.after_stock_change.get_hookimpls())


def ask_plugins(unit: Unit, product: ProductState, kind: str, steps: Sequence[Step], reason: str) -> None:
    """Call ``check_stock_change`` for each step that changes a quantity. Raises ``ChangeRefused`` with the first refusal."""
    if not is_asked(unit.plugins):
        return
    for step in steps:
        if step.quantity == 0:
            continue
        change = ProposedChange(
            kind, product.code, step.place.location, step.quantity, product.quantity, reason, unit.actor
        )
        for refusal in unit.plugins.hook.check_stock_change(change=change):
            raise ChangeRefused(refusal)


def write_events(
    unit: Unit, product: ProductState, kind: str, steps: Sequence[Step], reason: str, movements: Sequence[int]
) -> None:
    """Store an event for each step that changed a quantity, if some plugin wants to be told."""
    if is_told(unit.plugins) and (rows := event_rows(unit, product, kind, steps, reason, movements)):
        unit.connection.execute(_ADD_EVENT, rows)


def event_rows(
    unit: Unit, product: ProductState, kind: str, steps: Sequence[Step], reason: str, movements: Sequence[int]
) -> list[dict[str, Any]]:
    """The rows of the outbox for one product's steps; the first one carries the change of the total."""
    rows = []
    after = product.quantity + sum(step.quantity for step in steps)
    before = product.quantity
    for step, movement in zip(steps, movements, strict=True):
        if step.quantity == 0:
            continue
        event = StockChanged(
            id=str(movement),
            kind=kind,
            code=product.code,
            name=product.name,
            location=step.place.location,
            quantity=step.quantity,
            total_before=before,
            total=after,
            minimum=product.minimum,
            reason=reason,
            actor=unit.actor,
            at=unit.at,
        )
        before = after
        rows.append(
            {
                "event": STOCK_CHANGED,
                "payload": _to_text(event),
                "at": unit.at,
                "due_at": unit.at,
                "attempts": 0,
                "last_error": "",
            }
        )
    return rows


def read_event(payload: str) -> StockChanged:
    """The event of a stored payload. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for one of another version."""
    fields = json.loads(payload)
    return StockChanged(**(fields | {"at": datetime.fromisoformat(fields["at"])}))


def _to_text(event: StockChanged) -> str:
    return json.dumps(dataclasses.asdict(event) | {"at": event.at.isoformat()}, ensure_ascii=False)
