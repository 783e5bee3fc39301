"""Another process on the same database: ``issue`` many units one by one, or ``hang`` in the middle of a transaction."""

import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
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


def issue_many(inventory: Inventory, times: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(pool.map(lambda _: issue_one(inventory), range(times)))
    sys.stdout.write(json.dumps(outcomes))


def hang_before(inventory: Inventory, prefix: str) -> None:
    def hang(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(prefix):
            sys.stdout.write("in the middle\n")
            sys.stdout.flush()
            time.sleep(600)

    event.listen(Engine, "before_cursor_execute", hang)
    issue(inventory, code="A-1", quantity=1, **new_request())


def main() -> None:
    path, task, argument = sys.argv[1:]
    inventory = Inventory(SingleDatabase.from_file(Path(path)))
    if task == "issue":
        issue_many(inventory, int(argument))
    else:
        hang_before(inventory, argument)


if __name__ == "__main__":
    main()
