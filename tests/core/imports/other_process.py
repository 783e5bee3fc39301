"""What another process does on the same database: import a file and stay in the middle of it until it is ended."""

import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from inventory_core import Inventory, SingleDatabase, import_table, read_table
from inventory_core.testing import new_request

WRITTEN_BY_THEN = 2_000


def stay_in_the_middle(database: Path, file: Path, report: Connection) -> None:
    def wait(done: int, _total: int, _stage: str) -> None:
        if done > WRITTEN_BY_THEN:
            report.send("in the middle")
            time.sleep(600)

    # The traceback of the interrupt that ends it is nobody's news.
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
    inventory = Inventory(SingleDatabase.from_file(database))
    import_table(inventory, read_table(file, filename=file.name), **new_request(), progress=wait)
