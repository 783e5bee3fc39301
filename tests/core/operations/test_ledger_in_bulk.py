import pytest
from sqlalchemy import text

from inventory_core import (
    ChangeRefused,
    InsufficientStock,
    Inventory,
    ProposedChange,
    StockChanged,
    build_plugin_manager,
    hookimpl,
)
from inventory_core.rules.stock import MovementKind
from inventory_core.stock.idempotency import UnitOfWork, run_idempotent
from inventory_core.stock.ledger import PRODUCT_BATCH_SIZE, BalanceChange, post_changes
from inventory_core.stock.outbox import deliver_events
from inventory_core.testing import counted_statements, create_location, create_product, new_request
from inventory_core.verification import verify


def add(inventory: Inventory, changes: list[BalanceChange]) -> int:
    def work(unit: UnitOfWork) -> int:
        return post_changes(unit, changes, kind=MovementKind.IMPORT, reason="file")

    return run_idempotent(
        inventory,
        operation_type="bulk",
        request={},
        work=work,
        encode=lambda number: {"number": number},
        decode=lambda kept: int(kept["number"]),
        **new_request(),
    )


def create_products(inventory: Inventory, number: int, quantity: int = 5) -> None:
    for _ in range(number):
        create_product(inventory, quantity=quantity)


def totals(inventory: Inventory) -> list[int]:
    with inventory.sessions.reader() as session:
        return list(session.scalars(text("SELECT quantity FROM inventory_product ORDER BY id")))


def test_many_balances_change_in_one_operation_in_several_places(inventory: Inventory) -> None:
    create_location(inventory)
    create_products(inventory, 3)

    movements = add(inventory, [BalanceChange(3, 1, -5), BalanceChange(1, 2, 4), BalanceChange(1, 1, 1)])

    assert movements == 3
    assert totals(inventory) == [10, 5, 0]
    assert verify(inventory).faults == ()


def test_one_balance_that_would_be_negative_refuses_all_of_them(inventory: Inventory) -> None:
    create_products(inventory, 3)

    with pytest.raises(InsufficientStock):
        add(inventory, [BalanceChange(1, 1, 4), BalanceChange(2, 1, -6)])

    assert totals(inventory) == [5, 5, 5]
    assert verify(inventory).faults == ()


def test_plugins_check_every_balance_and_the_outbox_has_the_ids_of_movements(inventory: Inventory) -> None:
    class Witness:
        def __init__(self) -> None:
            self.events: list[StockChanged] = []

        @hookimpl
        def check_stock_change(self, change: ProposedChange) -> str | None:
            return "demasiado" if change.quantity > 100 else None

        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            self.events.append(event)

    create_location(inventory)
    create_products(inventory, 2)
    witness = Witness()
    watched = Inventory(inventory.sessions, build_plugin_manager([witness]))

    with pytest.raises(ChangeRefused):
        add(watched, [BalanceChange(1, 1, 1), BalanceChange(2, 1, 101)])
    add(watched, [BalanceChange(1, 2, 3), BalanceChange(1, 1, 2), BalanceChange(2, 1, -1)])
    deliver_events(watched)

    assert [(event.id, event.quantity, event.total_before, event.total) for event in witness.events] == [
        ("3", 2, 5, 10),
        ("4", 3, 10, 10),
        ("5", -1, 5, 4),
    ]


def test_a_portion_takes_the_same_few_statements_however_many_products_it_holds(inventory: Inventory) -> None:
    create_products(inventory, 12)
    with counted_statements() as few:
        add(inventory, [BalanceChange(1, 1, 1)])
    with counted_statements() as many:
        add(inventory, [BalanceChange(number, 1, 1) for number in range(1, 13)])

    assert len(few) == len(many) == 8
    assert PRODUCT_BATCH_SIZE > 12
