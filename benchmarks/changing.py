"""A change of a quantity, against the same statements through the bare driver."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.measuring import Bar, Figure, Ground, Table
from inventory_core import Inventory, SingleDatabase, change_quantity, new_operation_id
from inventory_core.queries.filters import ProductFilter
from inventory_core.queries.product_details import get_product
from inventory_core.queries.product_list import stream_products

MOST_TIMES = 2.5
CHANGES_PER_REPETITION = 10

Statement = tuple[str, tuple[Any, ...]]


def measure(ground: Ground) -> Iterator[Table]:
    """Give the table of the change: the program first, then by hand what it sent, on copies of one database."""
    number = ground.repetitions * CHANGES_PER_REPETITION
    ours, by_hand, listened = (_copy(ground, f"{name}.db") for name in ("ours", "by_hand", "listened"))
    codes = _codes(ours, number)
    sent = _change(listened, codes, listening=True)[1]
    seconds = _change(ours, codes, listening=False)[0]
    floor = _replay(by_hand, sent)
    median, bare = sorted(seconds)[number // 2], sorted(floor)[number // 2]
    explanation = (
        f"Median of {number} calls of `change_quantity` on different products, with the movement, the idempotency key and a "
        "synchronous commit. Floor: the same statements with the same values through `sqlite3`, on a copy."
    )
    yield Table(
        "Change of a quantity",
        explanation,
        [
            Figure("change of a quantity", median * 1e6, "µs", bare * 1e6, Bar("times", MOST_TIMES)),
            Figure("statements of a change", len(sent[0]), "statements"),
        ],
    )
    for path in (ours, by_hand, listened):
        path.unlink()


def _copy(ground: Ground, name: str) -> Path:
    path = ground.scratch / name
    shutil.copyfile(ground.database, path)
    return path


def _codes(path: Path, number: int) -> list[str]:
    with _opened(path) as inventory, stream_products(inventory, ProductFilter(status="available"), "changed") as rows:
        return [row.code for row, _ in zip(rows, range(number + 2), strict=False)]


def _change(path: Path, codes: list[str], *, listening: bool) -> tuple[list[float], list[list[Statement]]]:
    """Add one unit to each product; the first two are not counted. ``listening`` notes the statements of each."""
    seconds: list[float] = []
    sent: list[list[Statement]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent[-1].append((statement, tuple(parameters)))

    with _opened(path) as inventory:
        for code in codes:
            place = get_product(inventory, code).balances[0][0]
            sent.append([])
            if listening:
                event.listen(Engine, "before_cursor_execute", note)
            began = time.perf_counter()
            change_quantity(inventory, code=code, delta=1, location=place, actor="ana", operation=new_operation_id())
            seconds.append(time.perf_counter() - began)
            if listening:
                event.remove(Engine, "before_cursor_execute", note)
    return seconds[2:], sent


def _replay(path: Path, sent: list[list[Statement]]) -> list[float]:
    seconds = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -32000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        for statements in sent:
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                connection.execute(statement, values).fetchall()
            connection.execute("COMMIT")
            seconds.append(time.perf_counter() - began)
    return seconds[2:]


@contextmanager
def _opened(path: Path) -> Iterator[Inventory]:
    sessions = SingleDatabase.from_url(f"sqlite:///{path}")
    try:
        yield Inventory(sessions)
    finally:
        sessions.close()
