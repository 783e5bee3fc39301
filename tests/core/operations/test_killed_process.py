"""A process that is killed in the middle of an operation; what many do at once is in `tests/contracts/test_parallel.py`."""

from pathlib import Path

import pytest

from inventory_core import Inventory
from inventory_core.queries.products import get_product
from inventory_core.testing import create_product
from inventory_core.verification import verify
from tests.core.operations.other_process import hang_before
from tests.core.processes import CONTEXT


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_product",
        "UPDATE inventory_balance",
        "INSERT INTO inventory_movement",
        "INSERT INTO inventory_operation_result",
    ],
)
def test_killed_process_leaves_nothing_half_done(inventory: Inventory, tmp_path: Path, statement: str) -> None:
    create_product(inventory, "A-1", quantity=5)
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=hang_before, args=(tmp_path / "inventory.db", statement, theirs))
    process.start()
    theirs.close()
    reached = ours.recv()
    process.kill()
    process.join()

    assert reached == "in the middle"
    assert get_product(inventory, "A-1").row.total == 5
    assert verify(inventory).faults == ()
