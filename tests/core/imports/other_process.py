"""Another process that imports a file and stays in the middle of it until it is ended."""

import sys
import time
from pathlib import Path

from inventory_core import Inventory, SingleDatabase, import_table, read_table
from inventory_core.testing import new_request

WRITTEN_BY_THEN = 2_000


def wait_in_the_middle(done: int, _total: int, _stage: str) -> None:
    if done > WRITTEN_BY_THEN:
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
        time.sleep(600)


def main() -> None:
    database, file = map(Path, sys.argv[1:])
    inventory = Inventory(SingleDatabase.from_file(database))
    import_table(inventory, read_table(file, filename=file.name), **new_request(), progress=wait_in_the_middle)


if __name__ == "__main__":
    main()
