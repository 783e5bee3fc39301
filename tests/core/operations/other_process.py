"""What another process does on the same database: stop in the middle of a transaction."""

import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from inventory_core import Inventory, SingleDatabase
from inventory_core.stock.operations import issue
from inventory_core.testing import new_request


def hang_before(database: Path, prefix: str, report: Connection) -> None:
    def hang(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(prefix):
            report.send("in the middle")
            time.sleep(600)

    event.listen(Engine, "before_cursor_execute", hang)
    issue(Inventory(SingleDatabase.from_file(database)), code="A-1", quantity=1, **new_request())
