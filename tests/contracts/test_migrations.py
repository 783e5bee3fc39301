"""The migrations make the tables of the models, both ways, in each kind of database."""

import re
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Index, MetaData, event, inspect, text
from sqlalchemy.exc import DBAPIError

from inventory_core import CORE_SCHEMA, Inventory, SchemaNotCurrent, SingleDatabase
from inventory_core.database.dialects import DriverErrorKind, classify_driver_error
from inventory_core.models import metadata as core_tables
from inventory_core.testing import create_product
from inventory_core.verification import verify
from inventory_web.db.models import metadata as web_tables
from inventory_web.db.schema import CHAINS, WEB_SCHEMA, require_current, upgrade_all
from tests.contracts.at_once import processes_at_once
from tests.contracts.conftest import MYSQL
from tests.contracts.topologies import MySQLSchemas, SQLiteFiles

MODELS = {"core": core_tables, "web": web_tables}


WHERE = pytest.mark.parametrize("topology", ["sqlite", MYSQL], indirect=True)
"""On a replicated set the schema comes to the source alone, as it does on one server."""


@pytest.fixture
def empty(topology: SQLiteFiles | MySQLSchemas) -> Iterator[SingleDatabase]:
    with topology.empty() as sessions:
        yield sessions


@WHERE
def test_migrations_lead_up_and_down_and_up_again(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    first = structure(empty.engine)
    for chain in reversed(CHAINS):
        chain.downgrade(empty.engine, "base")
    left = set(inspect(empty.engine).get_table_names())
    for _ in range(2):
        upgrade_all(empty.engine)

    assert left == {CORE_SCHEMA.version_table, WEB_SCHEMA.version_table}
    assert structure(empty.engine) == first
    require_current(empty.engine)


@WHERE
def test_migration_downgrades_a_filled_database(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    create_product(Inventory(empty), "A-1", category="Otra", quantity=3)

    for chain in reversed(CHAINS):
        chain.downgrade(empty.engine, "base")

    assert not {"inventory_product", "inventory_web_user"} & set(inspect(empty.engine).get_table_names())


@WHERE
@pytest.mark.parametrize("tables", MODELS)
def test_models_and_migrations_agree(empty: SingleDatabase, tables: str) -> None:
    upgrade_all(empty.engine)

    assert differences(empty.engine, MODELS[tables]) == []


@WHERE
@pytest.mark.parametrize("tables", MODELS)
def test_constraints_and_keys_of_models_and_migrations_agree(topology: SQLiteFiles | MySQLSchemas, tables: str) -> None:
    """Autogeneration looks at no CHECK constraint, character set or generated key."""
    with topology.empty() as migrated, topology.empty() as created:
        upgrade_all(migrated.engine)
        core_tables.create_all(created.engine)
        web_tables.create_all(created.engine)

        for table in MODELS[tables].tables:
            assert shape(migrated.engine, table) == shape(created.engine, table)


@pytest.mark.slow
@WHERE
def test_migration_runs_once_if_instances_start_at_the_same_instant(empty: SingleDatabase) -> None:
    url = empty.engine.url
    address = url.set(drivername="sqlite") if empty.engine.dialect.name == "sqlite" else url
    said = processes_at_once(2, "upgrading_process", address.render_as_string(hide_password=False))

    assert said == ["", ""]
    require_current(empty.engine)
    create_product(Inventory(empty), "A-1", quantity=3)
    assert verify(Inventory(empty)).faults == ()


class Interrupted(Exception):
    """The connection to the server is lost after a statement."""


@pytest.mark.slow
@pytest.mark.parametrize("topology", [MYSQL], indirect=True)
def test_migration_interrupted_after_any_statement_is_finished_by_repeating_it(
    topology: MySQLSchemas,
) -> None:
    """MySQL commits each change of a table, so an interrupted upgrade leaves a part of it."""
    with topology.empty() as whole, topology.empty() as broken:
        upgrade_all(whole.engine)
        seen: set[str] = set()

        def interrupt(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if not re.match(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)", statement) or statement in seen:
                return
            seen.add(statement)
            raise Interrupted(statement)

        event.listen(broken.engine, "after_cursor_execute", interrupt)
        interruptions = 0
        while interruptions < 1_000:
            try:
                upgrade_all(broken.engine)
            except Interrupted:
                interruptions += 1
            else:
                break

        assert interruptions == len(seen) > 40
        assert structure(broken.engine) == structure(whole.engine)
        assert triggers(broken.engine) == triggers(whole.engine)
        for table, column in (
            ("inventory_category", "name"),
            ("inventory_location", "name"),
            ("inventory_web_user", "name"),
        ):
            rows = text(f"SELECT {column} FROM {table} ORDER BY {column}")  # noqa: S608
            with broken.engine.connect() as found, whole.engine.connect() as expected:
                assert found.execute(rows).all() == expected.execute(rows).all()


@pytest.mark.parametrize("topology", [MYSQL], indirect=True)
def test_migration_refuses_a_table_of_another_program(topology: MySQLSchemas) -> None:
    with topology.empty() as sessions:
        with sessions.engine.begin() as connection:
            connection.execute(text("CREATE TABLE inventory_product (id INTEGER)"))

        for _ in range(2):
            with pytest.raises(DBAPIError, match="already exists"):
                CORE_SCHEMA.upgrade(sessions.engine)


@WHERE
def test_migration_of_a_newer_program_is_distinguished_from_an_empty_database(empty: SingleDatabase) -> None:
    with pytest.raises(SchemaNotCurrent, match="inventory migrate"):
        CORE_SCHEMA.require_current(empty.engine)
    CORE_SCHEMA.upgrade(empty.engine)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE inventory_core_version SET version_num = '9999'"))

    with pytest.raises(SchemaNotCurrent, match="install a newer one"):
        CORE_SCHEMA.require_current(empty.engine)
    with pytest.raises(SchemaNotCurrent, match="install a newer one"):
        CORE_SCHEMA.upgrade(empty.engine)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_balance SET quantity = -1",
        "UPDATE inventory_product SET quantity = -1",
        "UPDATE inventory_product SET minimum = -1",
        """INSERT INTO inventory_movement (kind, product_id, location_id, quantity, balance_after, reason, actor, at, operation_id)
        SELECT kind, product_id, location_id, -9, -6, reason, actor, at, operation_id FROM inventory_movement""",
        """INSERT INTO inventory_movement (kind, product_id, location_id, quantity, balance_after, reason, actor, at, operation_id)
        SELECT 'theft', product_id, location_id, quantity, 6, reason, actor, at, operation_id FROM inventory_movement""",
        """INSERT INTO inventory_movement (kind, product_id, location_id, quantity, balance_after, reason, actor, at, operation_id)
        SELECT kind, product_id, location_id, 0, 3, reason, actor, at, operation_id FROM inventory_movement""",
    ],
)
def test_the_database_forbids_invalid_movements(inventory: Inventory, statement: str) -> None:
    create_product(inventory, "A-1", quantity=3)

    with pytest.raises(DBAPIError) as caught:
        inventory.sessions.write(lambda session: session.execute(text(statement)))

    assert classify_driver_error(caught.value) is DriverErrorKind.CHECK
    assert verify(inventory).faults == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_product SET category_id = 99",
        "UPDATE inventory_balance SET location_id = 99",
        "DELETE FROM inventory_product",
    ],
)
def test_references_hold(inventory: Inventory, statement: str) -> None:
    create_product(inventory, "A-1", quantity=3)

    with pytest.raises(DBAPIError, match=r"(?i)foreign key constraint"):
        inventory.sessions.write(lambda session: session.execute(text(statement)))

    assert verify(inventory).faults == ()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("inventory_movement", "at"),
        ("inventory_operation", "at"),
        ("inventory_operation_result", "at"),
        ("inventory_product_revision", "version"),
    ],
)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_rows_that_are_insert_only_are_neither_changed_nor_deleted(
    inventory: Inventory, table: str, column: str, statement: str
) -> None:
    create_product(inventory, "A-1", quantity=3)

    with pytest.raises(DBAPIError, match=f"rows of {table} are insert only"):
        inventory.sessions.write(lambda session: session.execute(text(statement.format(table=table, column=column))))

    assert verify(inventory).faults == ()


def triggers(engine: Engine) -> list[tuple[object, ...]]:
    statement = text(
        "SELECT trigger_name, event_manipulation, event_object_table, action_statement "
        "FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY trigger_name"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def differences(engine: Engine, tables: MetaData) -> list[object]:
    options = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name in tables.tables}
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), tables)
    return [change for change in found if engine.dialect.name == "sqlite" or not _is_partial_index(change)]


def _is_partial_index(change: tuple[object, ...]) -> bool:
    """Whether a model's index is one of those that only SQLite has."""
    return isinstance(change[1], Index) and change[1].dialect_options["sqlite"]["where"] is not None


def structure(engine: Engine) -> dict[str, object]:
    return {table: shape(engine, table) for table in inspect(engine).get_table_names()}


def shape(engine: Engine, table: str) -> dict[str, object]:
    """All that the database says about a table."""
    inspector = inspect(engine)
    columns = [{key: str(value) for key, value in column.items()} for column in inspector.get_columns(table)]
    checks = {check["name"]: str(check["sqltext"]) for check in inspector.get_check_constraints(table)}
    keys = {str(key["name"]): str(sorted(key.items())) for key in inspector.get_foreign_keys(table)}
    indexes = {str(index["name"]): (index["column_names"], index["unique"]) for index in inspector.get_indexes(table)}
    return {
        "columns": sorted(columns, key=str),
        "checks": checks,
        "keys": keys,
        "indexes": indexes,
        "primary key": inspector.get_pk_constraint(table),
        "options": inspector.get_table_options(table) if engine.dialect.name == "mysql" else {},
    }
