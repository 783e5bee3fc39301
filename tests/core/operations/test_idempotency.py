from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory_core import (
    InsufficientStock,
    Inventory,
    OperationReused,
    ProductDraft,
    change_quantity,
    edit_product,
    new_operation_id,
    register_product,
)
from inventory_core.catalog.locations import add_location
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.models import metadata
from inventory_core.stock.operations import count, issue, receive, transfer, undo_movement
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify

T = TypeVar("T")
DRAFT = ProductDraft("B-2", "Silla")

# Each is carried out on the product A-1 with 5 units, whose first movement has the id 1; there is a location "Sótano".
OPERATIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "receive": (receive, {"code": "A-1", "quantity": 3}),
    "issue": (issue, {"code": "A-1", "quantity": 3}),
    "transfer": (transfer, {"code": "A-1", "quantity": 3, "source": None, "target": "Sótano"}),
    "count": (count, {"code": "A-1", "quantity": 3, "expected": 5}),
    "change_quantity": (change_quantity, {"code": "A-1", "delta": -1, "expected": 5}),
    "undo_movement": (undo_movement, {"movement_id": 1}),
    "register_product": (register_product, {"draft": DRAFT, "quantity": 7}),
    "edit_product": (edit_product, {"code": "A-1", "draft": DRAFT, "expected_version": 1}),
    "retire_product": (retire_product, {"code": "A-1", "expected_version": 1}),
    "restore_product": (restore_product, {"code": "A-1"}),
    "add_location": (add_location, {"name": "Tejado"}),
}


@pytest.fixture
def stocked(inventory: Inventory) -> Inventory:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=5)
    return inventory


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_same_request_again_returns_the_first_result_and_changes_nothing(stocked: Inventory, name: str) -> None:
    operate, arguments = OPERATIONS[name]
    request = new_request()
    first = operate(stocked, **arguments, **request)
    stored = contents(stocked)

    assert operate(stocked, **arguments, **request) == first
    assert contents(stocked) == stored
    assert verify(stocked).faults == ()


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "receive"])
def test_operation_id_of_another_request_is_refused(stocked: Inventory, name: str) -> None:
    operate, arguments = OPERATIONS[name]
    request = new_request()
    receive(stocked, code="A-1", quantity=1, **request)
    stored = contents(stocked)

    with pytest.raises(OperationReused):
        operate(stocked, **arguments, **request)

    assert contents(stocked) == stored


@pytest.mark.parametrize(
    "other", [{"quantity": 4}, {"code": "B-2"}, {"reason": "otra"}, {"location": "Sótano"}, {"location": "Principal"}]
)
def test_operation_id_with_another_value_is_another_request(stocked: Inventory, other: dict[str, Any]) -> None:
    requested: dict[str, Any] = {"code": "A-1", "quantity": 3}
    create_product(stocked, "B-2")
    request = new_request()
    receive(stocked, **requested, **request)

    with pytest.raises(OperationReused):
        receive(stocked, **(requested | other), **request)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_id_that_another_actor_used_is_refused(stocked: Inventory, name: str) -> None:
    operate, arguments = OPERATIONS[name]
    operate(stocked, **arguments, actor="ana", operation="once")
    stored = contents(stocked)

    with pytest.raises(OperationReused, match="another actor"):
        operate(stocked, **arguments, actor="luis", operation="once")

    assert contents(stocked) == stored


def test_operation_id_ignores_the_spelling_of_a_code_and_expected_values(stocked: Inventory) -> None:
    request = new_request()
    first = count(stocked, code="A-1", quantity=3, expected=5, **request)

    assert count(stocked, code=" a-1", quantity=3, expected=4, **request) == first


def test_operation_id_of_a_refused_issue_can_be_used_again(stocked: Inventory) -> None:
    request = new_request()
    with pytest.raises(InsufficientStock):
        issue(stocked, code="A-1", quantity=9, **request)
    receive(stocked, code="A-1", quantity=4, **new_request())

    assert issue(stocked, code="A-1", quantity=9, **request).quantity == 0


def test_operation_id_refused_in_a_committed_transaction_can_be_used_again(
    stocked: Inventory,
) -> None:
    request: dict[str, Any] = {"code": "A-1", "quantity": 9, "actor": "ana", "operation": "once"}

    def host(session: Session) -> None:
        with pytest.raises(InsufficientStock):
            issue(replace(stocked, sessions=Joined(session)), **request)

    stocked.sessions.write(host)
    receive(stocked, code="A-1", quantity=4, **new_request())

    assert issue(stocked, **request) == issue(stocked, **request)
    assert verify(stocked).faults == ()


def test_operation_ids_that_differ_in_case_are_two_operations(stocked: Inventory) -> None:
    receive(stocked, code="A-1", quantity=1, actor="ana", operation="abc")

    assert receive(stocked, code="A-1", quantity=1, actor="ana", operation="ABC").quantity == 7


def test_every_new_id_is_another_one() -> None:
    assert len({new_operation_id() for _ in range(1000)}) == 1000


@dataclass
class Joined:
    """Operations that join the transaction of a host program."""

    session: Session

    def reader(self) -> AbstractContextManager[Session]:
        return nullcontext(self.session)

    def write(self, work: Callable[[Session], T]) -> T:
        return work(self.session)


def contents(inventory: Inventory) -> list[list[tuple[object, ...]]]:
    with inventory.sessions.reader() as session:
        return [[tuple(row) for row in session.execute(select(table))] for table in metadata.sorted_tables]
