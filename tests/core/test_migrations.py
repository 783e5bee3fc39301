import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from inventory_core import CORE_SCHEMA, InvalidInput, Inventory, SchemaNotCurrent, SingleDatabase
from inventory_core.models import metadata
from inventory_core.testing import create_product


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    sessions = SingleDatabase.from_file(tmp_path / "inventory.db")
    yield sessions.engine
    sessions.close()


def test_migrations_lead_up_and_down_and_up_again(engine: Engine) -> None:
    CORE_SCHEMA.upgrade(engine)
    first = structure(engine)
    CORE_SCHEMA.downgrade(engine, "base")

    assert [name for name in structure(engine) if name[1] != "inventory_core_version"] == []
    CORE_SCHEMA.upgrade(engine)
    CORE_SCHEMA.upgrade(engine)
    assert structure(engine) == first


def test_migration_downgrades_a_filled_database(engine: Engine) -> None:
    CORE_SCHEMA.upgrade(engine)
    sessions = SingleDatabase.from_url(engine.url.set(drivername="sqlite"))
    create_product(Inventory(sessions), "A-1", quantity=3)
    sessions.close()

    CORE_SCHEMA.downgrade(engine, "base")

    assert "inventory_product" not in inspect(engine).get_table_names()


def test_models_and_migrations_agree(engine: Engine) -> None:
    CORE_SCHEMA.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "version_table": CORE_SCHEMA.version_table,
                "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
            },
        )

        assert compare_metadata(context, metadata) == []


def test_constraints_and_indexes_of_models_and_migrations_agree(engine: Engine, tmp_path: Path) -> None:
    """Autogeneration does not look at CHECK constraints and partial indexes; SQLite's own text of them does."""
    CORE_SCHEMA.upgrade(engine)
    other = SingleDatabase.from_file(tmp_path / "models.db")
    metadata.create_all(other.engine)
    try:
        for table in metadata.tables:
            assert checks(engine, table) == checks(other.engine, table)
            assert indexes(engine, table) == indexes(other.engine, table)
    finally:
        other.close()


def test_migration_that_fails_half_way_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE inventory_movement (id INTEGER)"))

    with pytest.raises(DBAPIError, match="already exists"):
        CORE_SCHEMA.upgrade(engine)

    assert inspect(engine).get_table_names() == ["inventory_movement"]


def test_migration_of_a_newer_program_is_distinguished_from_an_older_one(engine: Engine) -> None:
    CORE_SCHEMA.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE inventory_core_version SET version_num = '9999'"))

    with pytest.raises(SchemaNotCurrent, match="install a newer one"):
        CORE_SCHEMA.require_current(engine)
    with pytest.raises(SchemaNotCurrent, match="install a newer one"):
        CORE_SCHEMA.upgrade(engine)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_movement SET quantity = 9",
        "UPDATE inventory_movement SET reason = 'x'",
        "DELETE FROM inventory_movement",
        "UPDATE inventory_operation SET actor = 'x'",
        "DELETE FROM inventory_operation",
        "UPDATE inventory_operation_result SET result = ''",
        "DELETE FROM inventory_operation_result",
        "UPDATE inventory_product_revision SET changes = '{}'",
        "DELETE FROM inventory_product_revision",
    ],
)
def test_rows_of_the_ledger_of_operations_and_revisions_can_only_be_added(inventory: Inventory, statement: str) -> None:
    create_product(inventory, "A-1", quantity=3)

    with pytest.raises(DBAPIError, match="insert only"):
        inventory.sessions.write(lambda session: session.execute(text(statement)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_balance SET quantity = -1",
        "UPDATE inventory_product SET quantity = -1",
        "UPDATE inventory_product SET minimum = -1",
        """INSERT INTO inventory_movement (kind, product_id, location_id, quantity, balance_after, reason, actor, at, operation_id)
        SELECT kind, product_id, location_id, -9, -6, reason, actor, at, operation_id FROM inventory_movement""",
    ],
)
def test_the_database_forbids_negative_balances(inventory: Inventory, statement: str) -> None:
    create_product(inventory, "A-1", quantity=3)

    with pytest.raises(DBAPIError, match="CHECK constraint failed"):
        inventory.sessions.write(lambda session: session.execute(text(statement)))


def test_migrations_of_several_databases_run_in_threads_at_once(tmp_path: Path) -> None:
    opened = [SingleDatabase.from_file(tmp_path / f"{number}.db") for number in range(6)]
    together = threading.Barrier(len(opened))

    def upgrade(sessions: SingleDatabase) -> None:
        together.wait(30)
        CORE_SCHEMA.upgrade(sessions.engine)

    try:
        with ThreadPoolExecutor(len(opened)) as threads:
            list(threads.map(upgrade, opened))
        for sessions in opened:
            CORE_SCHEMA.require_current(sessions.engine)
    finally:
        for sessions in opened:
            sessions.close()


@pytest.mark.parametrize("revision", ["nonsense", "", "9999", "0001:0002"])
def test_a_revision_that_does_not_exist_is_refused_by_its_name(engine: Engine, revision: str) -> None:
    for change in (CORE_SCHEMA.upgrade, CORE_SCHEMA.downgrade):
        with pytest.raises(InvalidInput, match="revision: unknown") as caught:
            change(engine, revision)
        assert caught.value.faults[0].value == revision

    assert inspect(engine).get_table_names() == []


def structure(engine: Engine) -> list[tuple[object, ...]]:
    statement = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def checks(engine: Engine, table: str) -> dict[str | None, str]:
    return {check["name"]: str(check["sqltext"]) for check in inspect(engine).get_check_constraints(table)}


def indexes(engine: Engine, table: str) -> dict[object, str]:
    with engine.connect() as connection:
        statement = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table"
        found = connection.execute(text(statement), {"table": table})
        return {name: " ".join(sql.replace('"', "").split()) for name, sql in found}


def test_the_newest_revision_of_a_schema_is_that_of_its_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", CORE_SCHEMA.location)

    assert CORE_SCHEMA.head() == ScriptDirectory.from_config(config).get_current_head()


def test_a_program_that_only_checks_its_schema_does_not_import_alembic(engine: Engine) -> None:
    CORE_SCHEMA.upgrade(engine)
    program = (
        "import sys\nfrom inventory_core import CORE_SCHEMA, SingleDatabase\n"
        "CORE_SCHEMA.require_current(SingleDatabase.from_url(sys.argv[1]).engine)\n"
        "print([name for name in sys.modules if name.startswith('alembic')])"
    )
    url = engine.url.set(drivername="sqlite").render_as_string()
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
