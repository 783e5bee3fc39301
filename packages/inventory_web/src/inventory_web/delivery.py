"""Hand committed events to ``after_*`` hooks once the answer that caused them is out."""

import structlog
from flask import Flask, Response, request

from inventory_core.errors import InventoryError
from inventory_core.inventory import Inventory
from inventory_core.operations.delivering import deliver_events
from inventory_web import current

log = structlog.get_logger(__name__)
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BATCH = 100
MOST_BATCHES = 20


def deliver_after_changes(app: Flask) -> None:
    """After each successful change deliver what waits, also what another instance left behind."""

    def later(response: Response) -> Response:
        if request.method in CHANGING and response.status_code < 400:
            inventory = current.the_inventory()
            response.call_on_close(lambda: deliver_waiting(inventory, batches=MOST_BATCHES))
        return response

    app.after_request(later)


def deliver_waiting(inventory: Inventory, *, batches: int | None = None) -> None:
    """Deliver until nothing is due, or for so many batches. A database that fails is logged: the events stay."""
    try:
        while batches is None or batches > 0:
            if deliver_events(inventory, BATCH) < BATCH:
                return
            batches = None if batches is None else batches - 1
    except InventoryError as error:
        log.warning("delivery", code=error.code, error=str(error))
