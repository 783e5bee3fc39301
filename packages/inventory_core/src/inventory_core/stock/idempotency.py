"""Run an operation once: under its id, in one transaction, with its first result kept."""

import dataclasses
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pluggy import PluginManager
from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory_core.context import InventoryContext
from inventory_core.database.dialects import DriverErrorKind, classify_driver_error
from inventory_core.errors import CommitUnknown, DatabaseBusy, InvalidInput, OperationReused, StorageRefused
from inventory_core.models import OPERATION, OPERATION_RESULT
from inventory_core.rules.arguments import request_faults
from inventory_core.rules.texts import normalize_line

R = TypeVar("R")

RESOLUTION_TIMEOUT_SECONDS = 8.0
"""Seconds to look for the outcome of an unknown commit, while a user waits."""

_BEGIN = insert(OPERATION)
# Locking reads see what is committed now, whatever snapshot the session has.
_FIRST = (
    select(OPERATION.c.fingerprint, OPERATION.c.actor)
    .where(OPERATION.c.id == bindparam("operation"))
    .with_for_update(read=True)
)
_RESULT = (
    select(OPERATION_RESULT.c.result)
    .where(OPERATION_RESULT.c.operation_id == bindparam("operation"))
    .with_for_update(read=True)
)
_FINISH = insert(OPERATION_RESULT)
_IN_DOUBT = (
    select(OPERATION.c.id).where(OPERATION.c.id == bindparam("operation")).with_for_update(read=True, nowait=True)
)
MYSQL_LOCKED_NOW = 3572


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """A running unit of work: its transaction, and the values that are common to all rows that it writes.

    ``at`` is one time, in UTC, for the whole unit. Code that locks or adds a single product adds its id to ``products``; code that
    undoes a whole operation adds the id of that operation to ``undone``.
    """

    session: Session
    connection: Connection
    plugins: PluginManager
    operation: str
    actor: str
    at: datetime
    products: set[int] = field(default_factory=set)
    undone: set[str] = field(default_factory=set)


def new_operation_id() -> str:
    """Return a new random id of 32 hexadecimal digits."""
    return uuid.uuid4().hex


def _fields(result: Any) -> dict[str, Any]:
    return {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}


def run_idempotent(
    inventory: InventoryContext,
    *,
    operation: str,
    operation_type: str,
    actor: str,
    request: Mapping[str, Any],
    work: Callable[[UnitOfWork], R],
    decode: Callable[[dict[str, Any]], R],
    encode: Callable[[R], Mapping[str, Any]] = _fields,
) -> R:
    """Run ``work`` in one transaction and store its result under the operation's id; return the stored result if there is one.

    The row of the operation is inserted before ``work`` begins, so movements can refer to it, and its result after it ends;
    neither is ever changed. ``work`` may run again after a deadlock or a busy database.

    ``operation_type`` has at most 20 characters. ``request`` is the request in JSON values, without its guards
    (``expected``, ``expected_version``): the same id with another ``operation_type``, ``request`` or ``actor`` raises
    ``OperationReused``. ``encode`` (for a dataclass: its fields) and ``decode`` turn the result into a JSON object and back.
    Raises ``InvalidInput`` for an id or actor that breaks the rules, and whatever ``work`` raises; then
    nothing was changed and the id is still free. An unknown commit is resolved by running the operation again; if that
    does not succeed in time, ``CommitUnknown`` is raised.
    """
    actor = normalize_line(actor)
    if faults := request_faults(operation, actor):
        raise InvalidInput(*faults)
    fingerprint = _fingerprint(operation_type, request)

    def run(session: Session) -> R:
        unit = UnitOfWork(session, session.connection(), inventory.plugins, operation, actor, inventory.clock())
        kept = _begin(unit, operation_type, fingerprint)
        if kept is not None:
            return decode(json.loads(kept) | {"replayed": True})
        result = work(unit)
        fields = {name: value for name, value in encode(result).items() if name != "replayed"}
        _finish(unit, json.dumps(fields, ensure_ascii=False))
        return result

    try:
        return inventory.sessions.write(run)
    except _FinishedMeanwhile:
        # Everything was rolled back; now the other unit's result is there.
        return inventory.sessions.write(run)
    except CommitUnknown as unknown:
        return _resolve(inventory, operation, run, unknown)


def _resolve(inventory: InventoryContext, operation: str, run: Callable[[Session], R], unknown: CommitUnknown) -> R:
    """Run an operation again until its outcome is known: its id keeps it from being stored twice.

    The database may need a moment, or become another server. Raises ``unknown`` after ``RESOLUTION_TIMEOUT_SECONDS``.
    """

    def run_if_decided(session: Session) -> R:
        _refuse_while_in_doubt(session.connection(), operation)
        return run(session)

    deadline = time.monotonic() + RESOLUTION_TIMEOUT_SECONDS
    pause = 0.1
    while time.monotonic() + pause < deadline:
        time.sleep(pause)
        pause = min(pause * 2, 1.0)
        try:
            return inventory.sessions.write(run_if_decided)
        except (CommitUnknown, DatabaseBusy, StorageRefused, _FinishedMeanwhile, _InDoubt):
            # This run changed nothing, but the first one may have.
            continue
    raise unknown


def _refuse_while_in_doubt(connection: Connection, operation: str) -> None:
    """Do not wait for the row of a transaction whose COMMIT still hangs on the server: that may take minutes."""
    if connection.dialect.name != "mysql":
        return
    try:
        connection.execute(_IN_DOUBT, {"operation": operation})
    except DBAPIError as error:
        if error.orig is not None and error.orig.args[:1] == (MYSQL_LOCKED_NOW,):
            raise _InDoubt from error
        raise


class _InDoubt(Exception):
    """The first transaction of an operation is neither stored nor rolled back yet."""


class _FinishedMeanwhile(Exception):
    """Another unit stored a result under the same operation id, or took the same operation back."""


def _begin(unit: UnitOfWork, operation_type: str, fingerprint: str) -> str | None:
    """Insert the operation, or return its first result. On MySQL a second request with the same id waits here.

    An operation without a result was refused inside a transaction of the caller that was committed nevertheless; it runs as if it
    were new.
    """
    row = {
        "id": unit.operation,
        "operation_type": operation_type,
        "fingerprint": fingerprint,
        "actor": unit.actor,
        "at": unit.at,
    }
    try:
        unit.connection.execute(_BEGIN, row)
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
    else:
        return None
    first = unit.connection.execute(_FIRST, {"operation": unit.operation}).one()
    if (first.fingerprint, first.actor) != (fingerprint, unit.actor):
        raise OperationReused(unit.operation)
    kept: str | None = unit.connection.scalar(_RESULT, {"operation": unit.operation})
    return kept


def _finish(unit: UnitOfWork, result: str) -> None:
    row = {
        "operation_id": unit.operation,
        "result": result,
        "at": unit.at,
        "product_id": next(iter(unit.products)) if len(unit.products) == 1 else None,
        "undoes_id": next(iter(unit.undone), None),
    }
    try:
        unit.connection.execute(_FINISH, row)
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
        raise _FinishedMeanwhile from error


def _fingerprint(operation_type: str, request: Mapping[str, Any]) -> str:
    canonical = json.dumps([operation_type, request], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
