"""``Inventory`` as other programs use it: opened on a real database, by its methods alone."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from inventory_core import (
    CannotUndo,
    ChangeRefused,
    CountConflict,
    DuplicateCode,
    EditConflict,
    InsufficientStock,
    InvalidInput,
    Inventory,
    OperationReused,
    ProductFilter,
    ProductNotFound,
    ProposedChange,
    RowsRefused,
    SchemaNotCurrent,
    StockChanged,
    StorageRefused,
    hookimpl,
)
from inventory_core.testing import write_database

ACTOR = "ana"


class Refuses:
    """A plugin that refuses every change with its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def check_stock_change(self, change: ProposedChange) -> str | None:
        return f"{self.name} refuses {change.quantity}"


class Notes:
    """A plugin that keeps the events that it is called with."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'stock.db'}"


@pytest.fixture
def inventory(url: str, tmp_path: Path) -> Iterator[Inventory]:
    write_database(tmp_path / "stock.db")
    with Inventory.open(url) as opened:
        opened.register("A-1", name="Lámpara", quantity=5, minimum=3, category="Hogar", actor=ACTOR)
        yield opened


def test_open_migrates_only_on_request(url: str) -> None:
    with pytest.raises(SchemaNotCurrent):
        Inventory.open(url)
    with Inventory.open(url, migrate=True) as inventory:
        inventory.register("A-1", name="Lámpara", actor=ACTOR)

    with Inventory.open(url) as inventory:
        assert inventory.product("a-1").row.name == "Lámpara"


def test_open_in_memory() -> None:
    with Inventory.open("sqlite://", migrate=True) as inventory:
        inventory.register("A-1", name="Lámpara", quantity=2, actor=ACTOR)

        assert inventory.product("A-1").row.quantity == 2


def test_open_takes_the_engine_of_the_host_and_leaves_it_open(url: str) -> None:
    engine = create_engine(url)
    with Inventory.open(engine, migrate=True) as inventory, engine.connect() as kept:
        inventory.register("A-1", name="Lámpara", quantity=2, actor=ACTOR)
        inventory.issue("A-1", 1, actor=ACTOR)
        inventory.close()

        assert kept.exec_driver_sql("SELECT quantity FROM inventory_product").scalar() == 1
        assert inventory.verify().faults == ()
    engine.dispose()


def test_open_refuses_other_databases_and_malformed_urls() -> None:
    with pytest.raises(StorageRefused):
        Inventory.open("oracle://localhost/stock")
    with pytest.raises(InvalidInput) as refused:
        Inventory.open("no url with secret")
    assert "secret" not in str(refused.value)


def test_open_registers_plugins_in_the_order_of_their_calls(url: str) -> None:
    with Inventory.open(url, plugins=[Refuses("first"), Refuses("second")], migrate=True) as inventory:
        inventory.register("A-1", name="Lámpara", actor=ACTOR)

        with pytest.raises(ChangeRefused, match="first refuses 2"):
            inventory.receive("A-1", 2, actor=ACTOR)


def test_register_refuses_a_code_that_exists(inventory: Inventory) -> None:
    with pytest.raises(DuplicateCode):
        inventory.register("a-1", name="Otra", actor=ACTOR)


def test_edit_replaces_the_fields_of_the_expected_version(inventory: Inventory) -> None:
    fields: dict[str, Any] = {"name": "Foco", "minimum": 0, "category": None, "description": "Luz", "actor": ACTOR}

    saved = inventory.edit("A-1", new_code="B-1", expected_version=1, **fields)

    row = inventory.product("B-1").row
    assert (saved.code, saved.version) == ("B-1", 2)
    assert (row.name, row.minimum, row.category, row.description, row.quantity) == ("Foco", 0, None, "Luz", 5)
    with pytest.raises(EditConflict):
        inventory.edit("B-1", expected_version=1, **fields)


def test_retire_and_restore(inventory: Inventory) -> None:
    inventory.retire("A-1", actor=ACTOR)
    assert inventory.products().rows == ()

    inventory.restore("A-1", actor=ACTOR)
    assert [row.code for row in inventory.products().rows] == ["A-1"]


def test_receive_issue_and_count_change_the_quantity(inventory: Inventory) -> None:
    assert inventory.receive("A-1", 3, reason="compra", actor=ACTOR).quantity == 8
    assert inventory.issue("A-1", 2, actor=ACTOR).quantity == 6
    assert inventory.count("A-1", 10, expected=6, actor=ACTOR).quantity == 10

    with pytest.raises(InsufficientStock):
        inventory.issue("A-1", 11, actor=ACTOR)
    with pytest.raises(CountConflict):
        inventory.count("A-1", 1, expected=6, actor=ACTOR)


def test_transfer_moves_stock_between_locations(inventory: Inventory) -> None:
    inventory.add_location("Tienda", actor=ACTOR)

    change = inventory.transfer("A-1", 2, source=None, target="tienda", actor=ACTOR)

    assert (change.location, change.quantity, change.total) == ("Tienda", 2, 5)
    assert dict(inventory.product("A-1").balances) == {"Principal": 3, "Tienda": 2}
    assert [row.name for row in inventory.locations()] == ["Principal", "Tienda"]


def test_undo_takes_a_movement_back_once(inventory: Inventory) -> None:
    (movement,) = inventory.receive("A-1", 3, actor=ACTOR).movement_ids

    assert inventory.undo(movement, actor=ACTOR).quantity == 5
    with pytest.raises(CannotUndo):
        inventory.undo(movement, actor=ACTOR)


def test_operation_id_makes_a_retry_of_receive_safe(inventory: Inventory) -> None:
    first = inventory.receive("A-1", 3, actor=ACTOR, operation="delivery-7")

    assert inventory.receive("A-1", 3, actor=ACTOR, operation="delivery-7") == first
    assert inventory.product("A-1").row.quantity == 8
    with pytest.raises(OperationReused):
        inventory.receive("A-1", 4, actor=ACTOR, operation="delivery-7")


def test_operation_id_is_a_new_one_by_default(inventory: Inventory) -> None:
    inventory.receive("A-1", 3, actor=ACTOR)
    inventory.receive("A-1", 3, actor=ACTOR)

    assert inventory.product("A-1").row.quantity == 11


def test_products_are_filtered_sorted_and_paged_with_a_cursor(inventory: Inventory) -> None:
    for number in range(2, 6):
        inventory.register(f"A-{number}", name="Caja", actor=ACTOR)

    first = inventory.products(ProductFilter("caja"), sort="-code", size=3, count_up_to=100)
    second = inventory.products(ProductFilter("caja"), sort="-code", after=first.next, size=3)

    assert [row.code for row in (*first.rows, *second.rows)] == ["A-5", "A-4", "A-3", "A-2"]
    assert first.count is not None
    assert first.count.number == 4
    assert [row.code for row in inventory.iter_products(sort="code")] == ["A-1", "A-2", "A-3", "A-4", "A-5"]


def test_product_that_does_not_exist(inventory: Inventory) -> None:
    with pytest.raises(ProductNotFound):
        inventory.product("B-1")


def test_categories_include_new_ones(inventory: Inventory) -> None:
    inventory.register("A-2", name="Caja", category="Embalaje", actor=ACTOR)

    assert inventory.categories()[-1] == "Embalaje"


def test_movements_of_a_product_and_of_an_operation(inventory: Inventory) -> None:
    inventory.issue("A-1", 1, actor=ACTOR, operation="sale-1")

    assert [row.kind for row in inventory.movements(code="A-1").rows] == ["issue", "receive"]
    assert [row.quantity for row in inventory.movements(operation="sale-1").rows] == [-1]


def test_import_file_previews_imports_and_refuses(inventory: Inventory, tmp_path: Path) -> None:
    content = "código;nombre;cantidad\nA-1;Lámpara;9\nB-1;Caja;2\n".encode()
    path = tmp_path / "products.csv"
    path.write_bytes(content)

    preview = inventory.import_file(path, dry_run=True)
    assert (preview.created, preview.faults_total) == (1, 0)
    assert inventory.products(size=9).rows[-1].code == "A-1"

    assert inventory.import_file(str(path), actor=ACTOR, operation="file-1").created == 1
    assert inventory.import_file(BytesIO(content), filename="x.csv", actor=ACTOR, operation="file-1").created == 1
    assert inventory.product("A-1").row.quantity == 9
    with pytest.raises(RowsRefused):
        inventory.import_file(BytesIO(b"code,name,quantity\nC-1,Box,-1\n"), filename="y.csv", actor=ACTOR)


@pytest.mark.parametrize("suffix", [".csv", ".XLSX"])
def test_export_file_takes_the_format_of_the_suffix(inventory: Inventory, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"products{suffix}"

    assert inventory.export_file(path) == 1
    assert inventory.import_file(path, dry_run=True).unchanged == 1


def test_export_file_refuses_another_suffix(inventory: Inventory, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        inventory.export_file(tmp_path / "products.pdf")
    assert not list(tmp_path.glob("*.pdf"))


def test_verify_counts_what_it_checked(inventory: Inventory) -> None:
    found = inventory.verify()

    assert (found.products, found.movements, found.faults) == (1, 1, ())


def test_deliver_events_of_the_outbox_calls_the_plugins(url: str) -> None:
    notes = Notes()
    with Inventory.open(url, plugins=[notes], migrate=True) as inventory:
        inventory.register("A-1", name="Lámpara", quantity=5, actor=ACTOR)

        assert inventory.deliver_events() == 1
        assert inventory.deliver_events() == 0
    assert [event.quantity for event in notes.events] == [5]


@pytest.mark.parametrize(
    "call",
    [
        lambda inventory: inventory.register(1, name="Lámpara", actor=ACTOR),
        lambda inventory: inventory.register("A-2", name=None, actor=ACTOR),
        lambda inventory: inventory.register("A-2", name="Lámpara", actor=7),
        lambda inventory: inventory.edit(
            "A-1", name="x", minimum="1", category=3, description="", expected_version="1", actor=ACTOR
        ),
        lambda inventory: inventory.retire(1, actor=ACTOR),
        lambda inventory: inventory.restore("A-1", expected_version="1", actor=ACTOR),
        lambda inventory: inventory.add_location(1, actor=ACTOR),
        lambda inventory: inventory.receive("A-1", "3", actor=ACTOR),
        lambda inventory: inventory.issue("A-1", 1.5, actor=ACTOR),
        lambda inventory: inventory.transfer("A-1", 1, source=1, target=None, actor=ACTOR),
        lambda inventory: inventory.count("A-1", True, actor=ACTOR),
        lambda inventory: inventory.undo("1", actor=ACTOR),
        lambda inventory: inventory.receive("A-1", 1, actor=ACTOR, operation=5),
        lambda inventory: inventory.products("caja"),
        lambda inventory: inventory.products(size="9"),
        lambda inventory: inventory.product(None),
        lambda inventory: list(inventory.iter_products(sort=3)),
        lambda inventory: inventory.movements(after="9"),
        lambda inventory: inventory.import_file(3, actor=ACTOR),
        lambda inventory: inventory.import_file(BytesIO(b"x"), filename=3, actor=ACTOR),
        lambda inventory: inventory.export_file(3),
        lambda inventory: inventory.deliver_events("9"),
        lambda inventory: type(inventory).open(3),
        lambda inventory: type(inventory).open("sqlite://", plugins=3),
    ],
)
def test_wrong_types_are_refused_as_invalid_input(inventory: Inventory, call: Callable[[Any], object]) -> None:
    with pytest.raises(InvalidInput):
        call(inventory)

    assert inventory.verify().movements == 1
