"""The rule of the room: values in, decision out."""

import ast
from collections.abc import Iterator
from pathlib import Path

from inventory_replication import decisions

PURE = {"base64", "bisect", "collections", "dataclasses", "enum", "hashlib", "hmac", "math", "re", "typing"}
OWN = {"inventory_replication.decisions", "inventory_replication.errors", "inventory_replication.policies"}


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def test_decisions_import_no_driver_socket_thread_clock_or_randomness() -> None:
    modules = sorted(Path(str(decisions.__file__)).parent.glob("*.py"))
    impure = {
        (module.name, name)
        for module in modules
        for name in imported(module)
        if name.partition(".")[0] not in PURE and ".".join(name.split(".")[:2]) not in OWN
    }

    assert len(modules) > 10
    assert not impure
