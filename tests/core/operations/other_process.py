"""What another process does on the same database: issue many units one by one, or stop in the middle of a transaction."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from inventory_core import InsufficientStock, Inventory, SingleDatabase, issue
from inventory_core.testing import new_request

THREADS = 4


def issue_one(inventory: Inventory) -> str:
    try:
        issue(inventory, code="A-1", quantity=1, **new_request())
    except InsufficientStock:
        return "refused"
    return "issued"


def issue_many(database: Path, times: int, report: Connection) -> None:
    inventory = Inventory(SingleDatabase.from_file(database))
    report.send("ready")
    report.recv()
    with ThreadPoolExecutor(THREADS) as pool:
        report.send(Counter(pool.map(lambda _: issue_one(inventory), range(times))))


def hang_before(database: Path, prefix: str, report: Connection) -> None:
    def hang(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(prefix):
            report.send("in the middle")
            time.sleep(600)

    event.listen(Engine, "before_cursor_execute", hang)
    issue(Inventory(SingleDatabase.from_file(database)), code="A-1", quantity=1, **new_request())
