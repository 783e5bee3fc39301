"""Many writers at once: no change is lost, no balance is negative, and deadlocks are retried."""

import json
from collections import Counter

import pytest

from inventory_core import CannotUndo, InsufficientStock, Inventory, OperationReused
from inventory_core.catalog.bulk_edit import SetMinimum, change_products, undo_products_change
from inventory_core.catalog.selection import SelectedProduct, Selection
from inventory_core.queries.products import get_product
from inventory_core.stock.operations import count, issue, receive, transfer
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify
from tests.contracts.at_once import at_once, processes_at_once
from tests.contracts.topologies import Database


def test_sixteen_threads_issue_exactly_what_is_there(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=40)

    def issue_four(_: int) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for _attempt in range(4):
            try:
                issue(inventory, code="A-1", quantity=1, **new_request())
            except InsufficientStock:
                outcomes["refused"] += 1
            else:
                outcomes["issued"] += 1
        return outcomes

    outcomes = sum(at_once(16, issue_four), Counter[str]())

    assert outcomes == {"issued": 40, "refused": 24}
    assert get_product(inventory, "A-1").row.total == 0
    assert verify(inventory).faults == ()


@pytest.mark.slow
def test_four_processes_issue_exactly_what_is_there_of_two_products_in_opposite_order(database: Database) -> None:
    inventory = Inventory(database.sessions)
    for code in ("A-1", "B-1"):
        create_product(inventory, code, quantity=40)

    said = processes_at_once(4, "other_process", database.address, "3", "A-1", "B-1")

    outcomes = Counter[str]()
    for each in map(json.loads, said):
        outcomes.update(each["outcomes"])
        database.learn(each["token"])
    assert outcomes == {"A-1 issued": 40, "A-1 refused": 8, "B-1 issued": 40, "B-1 refused": 8}
    assert {get_product(inventory, code).row.total for code in ("A-1", "B-1")} == {0}
    assert verify(inventory).faults == ()


def test_transfer_in_both_directions_at_once_adds_up(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    for code in ("A-1", "B-1"):
        create_product(inventory, code, quantity=20)
        receive(inventory, code=code, quantity=20, location="Sótano", **new_request())

    def move(which: int) -> None:
        source, target = (None, "Sótano") if which % 2 else ("Sótano", None)
        for code in ("A-1", "B-1") if which % 4 < 2 else ("B-1", "A-1"):
            transfer(inventory, code=code, quantity=1, source=source, target=target, **new_request())
            receive(inventory, code=code, quantity=1, **new_request())

    at_once(16, move)

    assert {get_product(inventory, code).row.total for code in ("A-1", "B-1")} == {56}
    assert verify(inventory).faults == ()


def test_issue_with_one_operation_id_eight_times_at_once_is_done_once(
    inventory: Inventory,
) -> None:
    create_product(inventory, "A-1", quantity=40)

    answers = at_once(8, lambda _: issue(inventory, code="A-1", quantity=3, actor="ana", operation="once"))

    assert len(set(answers)) == 1
    assert get_product(inventory, "A-1").row.total == 37
    assert verify(inventory).faults == ()


@pytest.mark.parametrize("differing", ["actor", "quantity"])
def test_issue_with_one_operation_id_for_eight_requests_at_once_is_done_once(
    inventory: Inventory, differing: str
) -> None:
    create_product(inventory, "A-1", quantity=40)

    def act(which: int) -> bool:
        actor, quantity = (f"actor {which}", 3) if differing == "actor" else ("ana", which + 1)
        try:
            issue(inventory, code="A-1", quantity=quantity, actor=actor, operation="once")
        except OperationReused:
            return False
        return True

    assert sorted(at_once(8, act)) == [False] * 7 + [True]
    assert 32 <= get_product(inventory, "A-1").row.total < 40
    assert verify(inventory).faults == ()


def test_counts_without_expected_quantity_at_once_leave_the_last_one(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=9)

    at_once(8, lambda which: count(inventory, code="A-1", quantity=which, expected=None, **new_request()))

    assert get_product(inventory, "A-1").row.total in range(8)
    assert verify(inventory).faults == ()


def test_a_change_of_many_products_is_undone_once_of_four_undos_at_once(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    selection = Selection((SelectedProduct(get_product(inventory, "A-1").row.id),))
    change_products(inventory, selection=selection, change=SetMinimum(5), actor="ana", operation="change")

    def act(_: int) -> str:
        try:
            undo_products_change(inventory, changed_operation="change", **new_request())
        except CannotUndo as error:
            return error.reason
        return "undone"

    assert sorted(at_once(4, act)) == ["already_undone"] * 3 + ["undone"]
    assert get_product(inventory, "A-1").row.minimum == 0
    assert verify(inventory).faults == ()


def test_verify_finds_no_fault_while_others_receive_and_issue(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=20)

    def act(which: int) -> int:
        if which:
            for _ in range(6):
                issue(inventory, code="A-1", quantity=1, **new_request())
                receive(inventory, code="A-1", quantity=1, **new_request())
            return 0
        return sum(len(verify(inventory).faults) for _ in range(4))

    assert at_once(4, act) == [0, 0, 0, 0]
