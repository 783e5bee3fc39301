"""What only certain modules may use: the environment, transactions, and the outside world of the core."""

import ast
from pathlib import Path

from tests.architecture.repository import PACKAGES, nodes, sources

ENVIRONMENT_READERS = {
    # The language of help and of refused settings, which do not wait for the settings.
    Path("packages/inventory_web/src/inventory_web/cli/language.py"),
    Path("packages/inventory_web/src/inventory_web/settings.py"),
    # The variable is prometheus_client's own, which reads it while it is imported.
    Path("packages/inventory_web/src/inventory_web/blueprints/ops/metrics.py"),
    Path("packages/inventory_replication/src/inventory_replication/provisioning/cli.py"),
}


def test_the_environment_is_read_in_one_place_of_each_command() -> None:
    readers = {
        path
        for package in PACKAGES
        for path in sources(package)
        for node in nodes(path)
        if _name(node) in {"environ", "environb", "getenv", "BaseSettings", "dotenv_values", "load_dotenv"}
        # What WSGI calls so is one request. A name alone is imported somewhere, and found there.
        if not isinstance(node, ast.Name) and ast.unparse(node) not in {"request.environ", "self.environ"}
    }

    assert readers - ENVIRONMENT_READERS == set()


def test_only_the_sessions_modules_commit() -> None:
    committing = {
        str(path)
        for package in ("inventory_core", "inventory_replication")
        for path in sources(package)
        if path.name != "sessions.py" and "migrations" not in path.parts
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
        if ast.unparse(node.func.value) != "super()"
    }

    assert committing == set()


def test_the_rules_of_the_core_read_no_clock() -> None:
    reading = {
        f"{path}:{node.lineno}"
        for path in sources("inventory_core")
        if "rules" in path.parts
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
    }

    assert reading == set()


FIXED_FOR_MIGRATIONS = {
    "LONG_TEXT",
    "MYSQL_OPTIONS",
    "ROW_ID",
    "UtcMicroseconds",
    "forbid_row_changes",
    "migration_ops",
    "permit_row_changes",
    "table_name",
}
"""What migrations share: it makes the same tables in every later release."""


def test_migrations_import_nothing_that_a_later_release_may_change() -> None:
    imported = {
        f"{path.name} imports {alias.name}"
        for package in PACKAGES
        for path in sources(package)
        if path.match("migrations/versions/*.py")
        for node in nodes(path)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if _module(node).startswith("inventory_") and alias.name not in FIXED_FOR_MIGRATIONS
    }

    assert imported == set()


def test_nothing_prints_but_the_commands() -> None:
    printing = {
        f"{path}:{node.lineno}"
        for package in PACKAGES
        for path in sources(package)
        if path.name != "cli.py" and "cli" not in path.parts
        for node in nodes(path)
        if isinstance(node, ast.Call) and _name(node.func) == "print"
    }

    assert printing == set()


def _name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name
        case _:
            return None


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
