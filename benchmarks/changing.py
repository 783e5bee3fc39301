"""A change of a quantity, compared with the same statements through the bare driver."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.measuring import Bar, Figure, Ground, Table
from inventory_core import Inventory, ProductFilter, SingleDatabase, change_quantity, new_operation_id

MOST_TIMES = 2.5
CHANGES_PER_REPETITION = 10

Statement = tuple[str, tuple[Any, ...]]
Change = tuple[str, str]


def measure(ground: Ground) -> Iterator[Table]:
    """Yield the table of the change: alternately the program, and its recorded statements on a copy of the database."""
    number = ground.repetitions * CHANGES_PER_REPETITION
    listened, ours, by_hand = (_copy(ground, f"{name}.db") for name in ("listened", "ours", "by_hand"))
    with _opened(listened) as inventory:
        changes = _changes(inventory, number + 2)
        sent = [_sent(inventory, change) for change in changes]
    seconds, floor = [], []
    with _opened(ours) as inventory, closing(sqlite3.connect(by_hand, isolation_level=None)) as connection:
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -32000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        for change, statements in zip(changes, sent, strict=True):
            seconds.append(_seconds(partial(_add_one, inventory, change)))
            floor.append(_seconds(partial(_replay, connection, statements)))
    for path in (listened, ours, by_hand):
        path.unlink()
    explanation = (
        f"Median of {number} calls of `change_quantity` on different products, with the movement, the idempotency key and a "
        "synchronous commit. Floor: the same statements with the same values through `sqlite3`, on a copy, alternating."
    )
    figures = [
        Figure(
            "change of a quantity", median(seconds[2:]) * 1e6, "µs", median(floor[2:]) * 1e6, Bar("times", MOST_TIMES)
        ),
        Figure("statements of a change", len(sent[0]), "statements"),
    ]
    yield Table("Change of a quantity", explanation, figures)


def _changes(inventory: Inventory, number: int) -> list[Change]:
    """Return products, each with one of its locations."""
    with closing(inventory.iter_products(ProductFilter(status="available"), sort="changed")) as rows:
        codes = [row.code for row in islice(rows, number)]
    return [(code, inventory.product(code).balances[0][0]) for code in codes]


def _add_one(inventory: Inventory, change: Change) -> None:
    code, place = change
    change_quantity(inventory, code=code, delta=1, location=place, actor="ana", operation=new_operation_id())


def _sent(inventory: Inventory, change: Change) -> list[Statement]:
    """Return the statements of a change, between BEGIN and COMMIT."""
    sent: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append((statement, tuple(parameters)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        _add_one(inventory, change)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return sent


def _replay(connection: sqlite3.Connection, statements: list[Statement]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement, values in statements:
        connection.execute(statement, values).fetchall()
    connection.execute("COMMIT")


def _seconds(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _copy(ground: Ground, name: str) -> Path:
    path = ground.scratch / name
    shutil.copyfile(ground.database, path)
    return path


@contextmanager
def _opened(path: Path) -> Iterator[Inventory]:
    sessions = SingleDatabase.from_url(f"sqlite:///{path}")
    try:
        yield Inventory(sessions)
    finally:
        sessions.close()
