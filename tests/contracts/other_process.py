"""Another process on the same database: issues stock by several threads and says what came of it."""

import json
import sys
from collections import Counter
from collections.abc import Callable

from inventory_core import DatabaseBusy, InsufficientStock, Inventory, SessionSource, SingleDatabase, issue
from inventory_core.testing import new_request
from tests.contracts.at_once import at_once
from tests.contracts.replicated import open_cluster

THREADS = 4


def issue_in_turn(inventory: Inventory, codes: list[str], times: int) -> Counter[str]:
    """Issue one unit of each product, in this order, again and again."""
    outcomes: Counter[str] = Counter()
    for _ in range(times):
        for code in codes:
            outcomes[
                f"{code} {_outcome(lambda code=code: issue(inventory, code=code, quantity=1, **new_request()))}"
            ] += 1
    return outcomes


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except InsufficientStock:
        return "refused"
    except DatabaseBusy:
        return "busy"
    return "issued"


def work(sessions: SessionSource, codes: list[str], times: int) -> dict[str, int]:
    inventory = Inventory(sessions)
    return sum(
        at_once(THREADS, lambda which: issue_in_turn(inventory, codes[:: 1 if which % 2 else -1], times)), Counter()
    )


def main() -> None:
    address, times, *codes = sys.argv[1:]
    token = None
    if address.startswith("{"):
        with open_cluster(address) as cluster, cluster.causal() as context:
            outcomes = work(cluster, codes, int(times))
            token = context.token
    else:
        outcomes = work(SingleDatabase.from_url(address), codes, int(times))
    sys.stdout.write(json.dumps({"outcomes": outcomes, "token": token}))


if __name__ == "__main__":
    main()
