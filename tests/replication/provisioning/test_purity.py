"""What decides about provisioning speaks to no server: only what carries out does."""

import ast
from pathlib import Path

import pytest

from inventory_replication import provisioning

PURE = ("wanted", "facts", "findings", "errors", "roles", "checks", "steps", "joining", "plan")
STANDARD = {"collections", "dataclasses", "enum", "re", "typing"}
OWN = {f"inventory_replication.provisioning.{name}" for name in PURE}
BELOW = {"inventory_replication.config", "inventory_replication.errors"}


@pytest.mark.parametrize("name", PURE)
def test_what_decides_imports_no_driver_socket_or_clock(name: str) -> None:
    source = Path(str(provisioning.__file__)).with_name(f"{name}.py")
    modules = [
        node.module or "."
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    plain = [node for node in ast.walk(ast.parse(source.read_text("utf-8"))) if isinstance(node, ast.Import)]
    others = {
        module
        for module in modules
        if module.partition(".")[0] not in STANDARD
        and module not in OWN | BELOW
        and not module.startswith("inventory_replication.decisions.")
    }

    assert not plain or all(alias.name in STANDARD for node in plain for alias in node.names)
    assert others == set()
