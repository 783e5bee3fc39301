"""The commands in docs/operating.md work."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inventory_core import CORE_SCHEMA, Inventory, SingleDatabase
from inventory_core.queries.products import get_product
from inventory_core.stock.operations import receive
from inventory_core.testing import create_product, new_request
from inventory_web.db.schema import upgrade_all

TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
BACK_UP, CHECK, _ = re.findall(r"^```sh\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Inventory]:
    """Yield an open inventory whose last change is still in the write-ahead log."""
    with closing(SingleDatabase.from_url(f"sqlite:///{tmp_path / 'inventory.db'}")) as database:
        upgrade_all(database.engine)
        inventory = Inventory(database)
        create_product(inventory, "T-1", quantity=5)
        receive(inventory, code="T-1", quantity=3, **new_request())
        yield inventory


def test_backup_of_a_running_inventory_contains_its_last_change(running: Inventory, tmp_path: Path) -> None:
    _, option, program = shlex.split(BACK_UP)
    subprocess.run([sys.executable, option, program], cwd=tmp_path, check=True)

    with closing(SingleDatabase.from_url(f"sqlite:///{tmp_path / 'backup.db'}")) as kept:
        CORE_SCHEMA.require_current(kept.engine)
        assert get_product(Inventory(kept), "T-1").row.quantity == 8
    assert get_product(running, "T-1").row.quantity == 8


@pytest.mark.usefixtures("running")
def test_backup_passes_verification(tmp_path: Path) -> None:
    _, option, program = shlex.split(BACK_UP)
    subprocess.run([sys.executable, option, program], cwd=tmp_path, check=True)
    setting, command, *arguments = shlex.split(CHECK)
    name, _, value = setting.partition("=")
    checking = [sys.executable, "-m", "inventory_web", *arguments]
    done = subprocess.run(checking, cwd=tmp_path, env={**os.environ, name: value}, capture_output=True, check=False)

    assert command == "inventory"
    assert (done.returncode, done.stderr) == (0, b"")
