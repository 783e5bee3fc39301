"""An operation is carried out once: under its id, in one transaction, with its first result kept."""

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pluggy import PluginManager
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory_core.errors import InvalidInput, OperationReused
from inventory_core.failures import Failure, classify
from inventory_core.inventory import Inventory
from inventory_core.rules.requests import request_faults
from inventory_core.rules.texts import one_line
from inventory_core.tables.plain import OPERATION

R = TypeVar("R")

_BEGIN = insert(OPERATION)
_FIRST = select(OPERATION.c.fingerprint, OPERATION.c.actor, OPERATION.c.result).where(
    OPERATION.c.id == bindparam("operation")
)
_FINISH = (
    update(OPERATION)
    .where(OPERATION.c.id == bindparam("operation"))
    .values(result=bindparam("outcome"), product_id=bindparam("product"))
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A running unit of work: its transaction, and what every row that it writes says about it.

    ``at`` is one time, in UTC, for the whole unit. Whoever locks or adds a single product notes its id in ``products``.
    """

    session: Session
    connection: Connection
    plugins: PluginManager
    operation: str
    actor: str
    at: datetime
    products: set[int] = field(default_factory=set)


def new_operation_id() -> str:
    """An id that nobody has used: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def _fields(result: Any) -> dict[str, Any]:
    return {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}


def carry_out(
    inventory: Inventory,
    *,
    operation: str,
    verb: str,
    actor: str,
    request: Mapping[str, Any],
    work: Callable[[Unit], R],
    decode: Callable[[dict[str, Any]], R],
    encode: Callable[[R], Mapping[str, Any]] = _fields,
) -> R:
    """Run ``work`` in one transaction and keep its result under the operation's id; give the kept one if there is one.

    The row of the operation exists before ``work`` begins, so movements can refer to it. ``work`` may run again after a
    deadlock or a busy database. ``request`` is what was asked, in JSON values, without what only guards it
    (``expected``, ``seen_version``): the same id with another ``verb``, ``request`` or ``actor`` raises ``OperationReused``.
    ``encode`` (for a dataclass: its fields) and ``decode`` turn the result into a JSON object and back; ``verb`` has at most
    20 characters. Raises ``InvalidInput`` for an id or actor that breaks the rules, and whatever ``work`` raises; then
    nothing was changed and the id is still free.
    """
    actor = one_line(actor)
    if faults := request_faults(operation, actor):
        raise InvalidInput(*faults)
    fingerprint = _fingerprint(verb, request)

    def run(session: Session) -> R:
        unit = Unit(session, session.connection(), inventory.plugins, operation, actor, inventory.clock())
        kept = _begin(unit, verb, fingerprint)
        if kept is not None:
            return decode(json.loads(kept))
        result = work(unit)
        outcome = json.dumps(encode(result), ensure_ascii=False)
        product = next(iter(unit.products)) if len(unit.products) == 1 else None
        unit.connection.execute(_FINISH, {"operation": operation, "outcome": outcome, "product": product})
        return result

    return inventory.sessions.write(run)


def _begin(unit: Unit, verb: str, fingerprint: str) -> str | None:
    """Claim the operation's id, or give the first result. On MySQL a second request with the same id waits here."""
    row = {
        "id": unit.operation,
        "verb": verb,
        "fingerprint": fingerprint,
        "result": "",
        "actor": unit.actor,
        "at": unit.at,
    }
    try:
        unit.connection.execute(_BEGIN, row)
    except DBAPIError as error:
        if classify(error) is not Failure.DUPLICATE:
            raise
    else:
        return None
    first = unit.connection.execute(_FIRST, {"operation": unit.operation}).one()
    if (first.fingerprint, first.actor) != (fingerprint, unit.actor):
        raise OperationReused(unit.operation)
    return str(first.result)


def _fingerprint(verb: str, request: Mapping[str, Any]) -> str:
    asked = json.dumps([verb, request], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(asked.encode()).hexdigest()
