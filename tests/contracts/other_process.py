"""Another process on the same database: issues stock by several threads and says what came of it."""

import json
import sys
from collections import Counter
from contextlib import closing

from inventory_core import InsufficientStock, Inventory, SessionSource, SingleDatabase
from inventory_core.stock.operations import issue
from inventory_core.testing import new_request
from tests.contracts.at_once import at_once
from tests.contracts.replicated import open_replicated

THREADS = 4


def issue_in_turn(inventory: Inventory, codes: list[str], times: int) -> Counter[str]:
    """Issue one unit of each product, in this order, again and again."""
    return Counter(f"{code} {issue_one(inventory, code)}" for _ in range(times) for code in codes)


def issue_one(inventory: Inventory, code: str) -> str:
    """What came of it, in one word."""
    try:
        issue(inventory, code=code, quantity=1, **new_request())
    except InsufficientStock:
        return "refused"
    return "issued"


def work(sessions: SessionSource, codes: list[str], times: int) -> Counter[str]:
    inventory = Inventory(sessions)

    def act(which: int) -> Counter[str]:
        return issue_in_turn(inventory, codes[:: 1 if which % 2 else -1], times)

    return sum(at_once(THREADS, act), Counter[str]())


def main() -> None:
    address, times, *codes = sys.argv[1:]
    token = None
    if address.startswith("{"):
        with closing(open_replicated(address)) as database, database.cluster.causal() as context:
            outcomes = work(database, codes, int(times))
            token = context.token
    else:
        outcomes = work(SingleDatabase.from_url(address), codes, int(times))
    sys.stdout.write(json.dumps({"outcomes": outcomes, "token": token}))


if __name__ == "__main__":
    main()
