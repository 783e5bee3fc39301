"""Tools for tests of programs and plugins that embed the core: temporary databases, factories, a statement counter."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypedDict

from sqlalchemy import URL, Engine, event

from inventory_core.catalog.locations import add_location
from inventory_core.catalog.products import register_product
from inventory_core.database.schema import CORE_SCHEMA
from inventory_core.database.sessions import SingleDatabase
from inventory_core.inventory import Inventory
from inventory_core.plugins import build_plugin_manager
from inventory_core.results import ProductSaved
from inventory_core.rules.products import ProductDraft
from inventory_core.stock.idempotency import new_operation_id

ACTOR = "test"

_numbers = itertools.count(1)


class Request(TypedDict):
    """The arguments that every operation requires."""

    actor: str
    operation: str


def new_request() -> Request:
    """Return an actor and a unique operation id: ``receive(inventory, code=…, quantity=…, **new_request())``."""
    return {"actor": ACTOR, "operation": new_operation_id()}


@contextmanager
def temporary_inventory(folder: Path, *plugins: object) -> Iterator[Inventory]:
    """Yield an inventory on a new SQLite file ``inventory.db`` in ``folder``, at the current schema; close it at the end."""
    path = folder / "inventory.db"
    write_database(path)
    sessions = SingleDatabase.from_url(URL.create("sqlite", database=str(path)))
    try:
        yield Inventory(sessions, build_plugin_manager(plugins))
    finally:
        sessions.close()


def write_database(path: Path) -> None:
    """Create a SQLite file at the current schema: a copy, which takes milliseconds instead of a run of the migrations."""
    path.write_bytes(_template())


def create_product(
    inventory: Inventory,
    code: str | None = None,
    *,
    name: str = "A product",
    description: str = "",
    category: str | None = None,
    minimum: int = 0,
    quantity: int = 0,
    location: str | None = None,
) -> ProductSaved:
    """Register a product, with a unique code by default."""
    draft = ProductDraft(code or f"P-{next(_numbers):05}", name, description, category, minimum)
    return register_product(inventory, draft=draft, quantity=quantity, location=location, **new_request())


def create_location(inventory: Inventory, name: str | None = None) -> str:
    """Add a location, with a unique name by default."""
    return add_location(inventory, name=name or f"Location {next(_numbers)}", actor=ACTOR, operation=new_operation_id())


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Yield a list of all SQL statements that this process runs in the block, without begin, commit and PRAGMA."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "COMMIT", "ROLLBACK")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@cache
def _template() -> bytes:
    sessions = SingleDatabase.from_url("sqlite://")
    try:
        CORE_SCHEMA.upgrade(sessions.engine)
        raw = sessions.engine.raw_connection()
        try:
            connection = raw.driver_connection
            if not isinstance(connection, sqlite3.Connection):
                raise TypeError("the template is made by the driver sqlite3")
            content = bytearray(connection.serialize())
            # The two bytes of the file format that mean "write-ahead log".
            content[18:20] = b"\x02\x02"
            return bytes(content)
        finally:
            raw.close()
    finally:
        sessions.close()
