"""A new inventory on a real SQLite file for each test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory_core import Inventory
from inventory_core.testing import temporary_inventory


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path) as created:
        yield created
