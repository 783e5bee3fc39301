from pathlib import Path

from sqlalchemy import text

from inventory_core import CORE_SCHEMA, Inventory, SingleDatabase
from inventory_core.testing import (
    counted_statements,
    create_location,
    create_product,
    new_request,
    temporary_inventory,
    write_database,
)
from inventory_core.verification import verify


def test_a_temporary_inventory_is_current_and_sound(tmp_path: Path) -> None:
    with temporary_inventory(tmp_path) as inventory:
        assert isinstance(inventory.sessions, SingleDatabase)
        CORE_SCHEMA.require_current(inventory.sessions.engine)
        assert verify(inventory).faults == ()


def test_copied_database_has_the_structure_of_the_migrations(tmp_path: Path) -> None:
    write_database(tmp_path / "copied.db")
    migrated = SingleDatabase.from_file(tmp_path / "migrated.db")
    copied = SingleDatabase.from_file(tmp_path / "copied.db")
    CORE_SCHEMA.upgrade(migrated.engine)
    structures = []
    for sessions in (migrated, copied):
        with sessions.reader() as session:
            structures.append(session.execute(text("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")).all())
        sessions.close()

    assert structures[0] == structures[1]


def test_factories_return_unique_names(inventory: Inventory) -> None:
    assert create_product(inventory).code != create_product(inventory).code
    assert create_location(inventory) != create_location(inventory)
    assert new_request() != new_request()


def test_only_statements_inside_the_block_are_counted(inventory: Inventory) -> None:
    with counted_statements() as statements, inventory.sessions.reader() as session:
        session.execute(text("SELECT 1"))
        session.execute(text("SELECT 2"))
    with inventory.sessions.reader() as session:
        session.execute(text("SELECT 3"))

    assert statements == ["SELECT 1", "SELECT 2"]
