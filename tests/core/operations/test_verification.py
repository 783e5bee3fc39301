import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory_core import Inventory, ProductDraft, SingleDatabase, StorageRefused, edit_product
from inventory_core.catalog.products import retire_product
from inventory_core.stock.operations import issue, receive, transfer, undo_movement
from inventory_core.testing import create_location, create_product, new_request, temporary_inventory, write_database
from inventory_core.verification import verify

Damage = Callable[[str], None]


@pytest.fixture
def used(inventory: Inventory) -> Inventory:
    """A-1 has 4 in Principal (movements 1, 2, 3) and 2 in Sótano (4); movement 3 was undone by 5; B-2 has nothing."""
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5, category="Hogar")
    create_product(inventory, "B-2")
    receive(inventory, code="A-1", quantity=1, **new_request())
    transfer(inventory, code="A-1", quantity=2, source=None, target="Sótano", **new_request())
    (movement,) = issue(inventory, code="A-1", quantity=1, **new_request()).movement_ids
    undo_movement(inventory, movement_id=movement, **new_request())
    return inventory


@pytest.fixture
def damage(tmp_path: Path) -> Damage:
    """Run SQL past every guard, as a person with another program could."""

    def run(statements: str) -> None:
        connection = sqlite3.connect(tmp_path / "inventory.db")
        connection.executescript(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;"
            "DROP TRIGGER inventory_movement_no_update; DROP TRIGGER inventory_movement_no_delete;"
            "DROP TRIGGER inventory_operation_no_delete; DROP TRIGGER inventory_operation_result_no_delete;"
            "DROP TRIGGER inventory_product_revision_no_update; DROP TRIGGER inventory_product_revision_no_delete;"
            f"{statements}"
        )
        connection.close()

    return run


def test_a_sound_inventory_has_no_fault_and_is_counted(used: Inventory) -> None:
    found = verify(used)

    assert (found.products, found.movements, found.faults) == (2, 6, ())


def test_an_empty_inventory_has_no_fault(inventory: Inventory) -> None:
    assert verify(inventory).faults == ()


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        (
            "UPDATE inventory_balance SET quantity = 9 WHERE location_id = 1",
            {
                ("balance is the sum of its movements", "product A-1, location Principal", "4", "9"),
                ("total is the sum of the balances", "product A-1", "11", "6"),
                ("last movement leaves the balance", "movement 6", "9", "4"),
            },
        ),
        (
            "DELETE FROM inventory_balance WHERE location_id = 2",
            {
                ("movements have a balance", "product A-1, location Sótano", "2", "no balance"),
                ("total is the sum of the balances", "product A-1", "4", "6"),
            },
        ),
        (
            "UPDATE inventory_product SET quantity = 7 WHERE code = 'A-1'",
            {("total is the sum of the balances", "product A-1", "6", "7")},
        ),
        (
            "UPDATE inventory_movement SET balance_after = 8 WHERE id = 2",
            {("movements add up", "movement 2", "6", "8"), ("movements add up", "movement 3", "6", "4")},
        ),
        (
            "DELETE FROM inventory_movement WHERE id = 6",
            {
                ("balance is the sum of its movements", "product A-1, location Principal", "3", "4"),
                ("last movement leaves the balance", "movement 5", "4", "3"),
            },
        ),
        (
            """UPDATE inventory_movement SET undoes_id = 2 WHERE id = 6;
            UPDATE inventory_movement SET quantity = 2, balance_after = 7 WHERE id = 2;
            UPDATE inventory_movement SET quantity = -3 WHERE id = 3""",
            {("undo is the opposite", "movement 6", "-2", "1")},
        ),
        (
            """UPDATE inventory_balance SET quantity = -1 WHERE location_id = 2;
            UPDATE inventory_product SET quantity = -5, minimum = -2 WHERE id = 2""",
            {
                ("balance is not negative", "product id 1", "0 or more", "-1"),
                ("total is not negative", "product B-2", "0 or more", "-5"),
                ("minimum is not negative", "product B-2", "0 or more", "-2"),
            },
        ),
        (
            "UPDATE inventory_movement SET balance_after = -4 WHERE id = 1",
            {("movement leaves no negative", "movement 1", "0 or more", "-4")},
        ),
        (
            "DELETE FROM inventory_operation WHERE operation_type = 'issue'",
            {("references lead somewhere", "movement 5", "operation", "nothing")},
        ),
        (
            "UPDATE inventory_product SET category_id = 99 WHERE id = 1",
            {("references lead somewhere", "product 1", "category 99", "nothing")},
        ),
        (
            "UPDATE inventory_location SET is_default = NULL",
            {("one location is the default", "locations", "1", "0")},
        ),
        (
            "UPDATE inventory_product SET code_key = 'A-1', name_key = 'x' WHERE id = 1",
            {
                ("folded text is that of the text", "product A-1, code_key", "a-1", "A-1"),
                ("folded text is that of the text", "product A-1, name_key", "a product", "x"),
            },
        ),
        (
            "UPDATE inventory_location SET name_key = 'Sótano' WHERE id = 2",
            {("folded text is that of the text", "location Sótano, name_key", "sotano", "Sótano")},
        ),
        (
            "UPDATE inventory_category SET name = 'Casa' WHERE name = 'Hogar'",
            {("folded text is that of the text", "category Casa, name_key", "casa", "hogar")},
        ),
    ],
)
def test_damage_is_found_with_the_place_and_both_values(
    used: Inventory, damage: Damage, statement: str, faults: set[tuple[str, str, str, str]]
) -> None:
    damage(statement)

    found = {(fault.check, fault.where, fault.expected.split(" ", 1)[0], fault.found) for fault in verify(used).faults}
    assert {(check, where, expected.split(" ", 1)[0], value) for check, where, expected, value in faults} <= found


def test_verify_finds_an_issue_without_a_result(used: Inventory, damage: Damage) -> None:
    issue(used, code="A-1", quantity=1, actor="ana", operation="issue-1")
    damage("DELETE FROM inventory_operation_result WHERE operation_id = 'issue-1'")

    found = verify(used).faults
    assert [(fault.check, fault.where) for fault in found] == [("operations have a result", "operation issue-1")]


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        (
            "UPDATE inventory_product_revision SET operation_id = 'never' WHERE version = 2",
            {("references lead somewhere", "product_revision never, 1", "operation never", "nothing")},
        ),
        (
            "UPDATE inventory_product_revision SET product_id = 99 WHERE version = 2",
            {
                ("references lead somewhere", "product_revision edit, 99", "product 99", "nothing"),
                ("each version has a revision", "product A-1", "4", "3"),
            },
        ),
        (
            "DELETE FROM inventory_product_revision WHERE version = 4",
            {
                ("each version has a revision", "product A-1", "4", "3"),
                ("the last revision leaves the version", "product A-1", "4", "3"),
            },
        ),
        (
            "UPDATE inventory_product_revision SET kind = 'created' WHERE version = 2",
            {
                (
                    "the first revision creates the product",
                    "product A-1, version 2",
                    "created first, and once",
                    "created",
                )
            },
        ),
        (
            "UPDATE inventory_product_revision SET changes = replace(changes, 'Mesa', 'Tisch') WHERE version = 2",
            {
                (
                    "revisions lead to the fields of the product",
                    "product A-1, version 3, name",
                    "Tisch",
                    "Mesa",
                )
            },
        ),
        (
            "UPDATE inventory_product_revision SET changes = replace(changes, 'Silla', 'Stuhl') WHERE version = 3",
            {("revisions lead to the fields of the product", "product A-1, name", "Stuhl", "Silla")},
        ),
        (
            "UPDATE inventory_product_revision SET changes = '{\"retired_at\": [null, null]}' WHERE version = 4",
            {("revisions lead to the fields of the product", "product A-1, retired_at", "None", "RETIRED")},
        ),
        (
            "UPDATE inventory_product_revision SET changes = '{\"quantity\": [1, 2]}' WHERE version = 3",
            {
                (
                    "revisions can be read",
                    "product A-1, version 3",
                    "former and new values",
                    '{"quantity": [1, 2]}',
                ),
                ("revisions lead to the fields of the product", "product A-1, name", "Mesa", "Silla"),
            },
        ),
    ],
)
def test_verify_finds_a_tampered_revision(
    inventory: Inventory, damage: Damage, statement: str, faults: set[tuple[str, str, str, str]]
) -> None:
    create_product(inventory, "A-1", name="Table")
    for version, (name, operation) in enumerate((("Mesa", "edit"), ("Silla", "edit-2")), start=1):
        draft = ProductDraft("A-1", name)
        edit_product(inventory, code="A-1", draft=draft, expected_version=version, actor="ana", operation=operation)
    retire_product(inventory, code="A-1", **new_request())
    assert verify(inventory).faults == ()
    damage(statement)

    retired = str(datetime.now(UTC).year)
    found = {
        (fault.check, fault.where, fault.expected, "RETIRED" if fault.found.startswith(retired) else fault.found)
        for fault in verify(inventory).faults
        if not fault.check.startswith("the file")
    }
    assert found == faults


def test_a_search_index_that_does_not_fit_is_found(used: Inventory, damage: Damage) -> None:
    damage(
        "DROP TRIGGER inventory_product_search_update; UPDATE inventory_product SET search_text = 'other' WHERE id = 1"
    )

    assert "the search index fits" in {fault.check for fault in verify(used).faults}


def test_references_of_tables_that_are_not_the_cores_are_looked_at_too(used: Inventory, damage: Damage) -> None:
    damage("CREATE TABLE note (product_id INTEGER REFERENCES inventory_product (id)); INSERT INTO note VALUES (99)")

    assert [(fault.where, fault.expected) for fault in verify(used).faults] == [("note row 1", "inventory_product")]


def test_values_that_break_a_check_of_another_table_are_found(used: Inventory, damage: Damage) -> None:
    damage("CREATE TABLE note (stars INTEGER CHECK (stars < 6)); INSERT INTO note VALUES (9)")

    assert [fault.found for fault in verify(used).faults] == ["CHECK constraint failed in note"]


def test_verifying_changes_nothing(tmp_path: Path) -> None:
    with temporary_inventory(tmp_path) as inventory:
        create_product(inventory, "A-1", quantity=5)
        before = dump(tmp_path / "inventory.db")
        verify(inventory)

        assert dump(tmp_path / "inventory.db") == before


def test_a_damaged_file_is_reported_and_not_verified(tmp_path: Path) -> None:
    write_database(tmp_path / "damaged.db")
    content = (tmp_path / "damaged.db").read_bytes()
    (tmp_path / "damaged.db").write_bytes(content[:8192] + b"\x55" * (len(content) - 8192))
    sessions = SingleDatabase.from_file(tmp_path / "damaged.db")
    try:
        with pytest.raises(StorageRefused, match=r"damaged\.db is damaged; restore a backup"):
            verify(Inventory(sessions))
    finally:
        sessions.close()


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines
