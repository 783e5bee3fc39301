"""What decides about provisioning speaks to no server: only what carries out does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory_replication import provisioning

PURE = ("wanted", "facts", "findings", "errors", "roles", "checks", "steps", "joining", "plan")
STANDARD = {"collections", "dataclasses", "enum", "re", "typing"}
OWN = {f"inventory_replication.provisioning.{name}" for name in PURE}
BELOW = {"inventory_replication.config", "inventory_replication.errors"}


def imported(name: str) -> Iterator[str]:
    source = Path(str(provisioning.__file__)).with_name(f"{name}.py")
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


@pytest.mark.parametrize("name", PURE)
def test_what_decides_imports_no_driver_socket_or_clock(name: str) -> None:
    others = {
        module
        for module in imported(name)
        if module.partition(".")[0] not in STANDARD
        and module not in OWN | BELOW
        and not module.startswith("inventory_replication.decisions.")
    }

    assert others == set()
