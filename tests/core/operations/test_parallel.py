"""Many at once on one product: nothing is lost, nothing is done twice, nothing is half done."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from inventory_core import (
    DuplicateCode,
    EditConflict,
    InsufficientStock,
    Inventory,
    OperationReused,
    ProductDraft,
    count,
    edit_product,
    issue,
    receive,
    register_product,
    transfer,
    verify,
)
from inventory_core.testing import create_location, create_product, new_request
from tests.core.operations.other_process import hang_before, issue_many
from tests.core.processes import CONTEXT

T = TypeVar("T")


def at_once(number: int, act: Callable[[int], T]) -> list[T]:
    """Run ``act(0)`` … ``act(number - 1)`` in threads that begin at the same moment."""
    barrier = threading.Barrier(number)

    def begin(which: int) -> T:
        barrier.wait()
        return act(which)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(begin, range(number)))


def stock(inventory: Inventory) -> int:
    return receive(inventory, code="A-1", quantity=1, **new_request()).before


@pytest.mark.slow
def test_sixteen_threads_issue_exactly_what_is_there(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=100)

    def issue_ten(_: int) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for _attempt in range(10):
            try:
                issue(inventory, code="A-1", quantity=1, **new_request())
            except InsufficientStock:
                outcomes["refused"] += 1
            else:
                outcomes["issued"] += 1
        return outcomes

    outcomes = sum(at_once(16, issue_ten), Counter[str]())

    assert outcomes == {"issued": 100, "refused": 60}
    assert stock(inventory) == 0
    assert verify(inventory).faults == ()


@pytest.mark.slow
def test_four_processes_of_four_threads_issue_exactly_what_is_there(inventory: Inventory, tmp_path: Path) -> None:
    create_product(inventory, "A-1", quantity=100)
    pipes = [CONTEXT.Pipe() for _ in range(4)]
    processes = [
        CONTEXT.Process(target=issue_many, args=(tmp_path / "inventory.db", 40, theirs)) for _, theirs in pipes
    ]
    for process, (_, theirs) in zip(processes, pipes, strict=True):
        process.start()
        theirs.close()
    assert [ours.recv() for ours, _ in pipes] == ["ready"] * 4
    for ours, _ in pipes:
        ours.send("go")
    outcomes = sum((ours.recv() for ours, _ in pipes), Counter[str]())
    for process in processes:
        process.join()

    assert outcomes == {"issued": 100, "refused": 60}
    assert stock(inventory) == 0
    assert verify(inventory).faults == ()


def test_received_and_moved_in_both_directions_at_once_adds_up(inventory: Inventory) -> None:
    create_location(inventory, "Sótano")
    create_product(inventory, "A-1", quantity=50)
    receive(inventory, code="A-1", quantity=50, location="Sótano", **new_request())

    def act(which: int) -> None:
        source, target = (None, "Sótano") if which % 2 else ("Sótano", None)
        for _ in range(5):
            transfer(inventory, code="A-1", quantity=1, source=source, target=target, **new_request())
            receive(inventory, code="A-1", quantity=1, **new_request())

    at_once(8, act)

    assert receive(inventory, code="A-1", quantity=1, **new_request()).total == 141
    assert verify(inventory).faults == ()


def test_one_operation_id_from_eight_threads_is_one_movement_with_one_answer(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=100)
    request = new_request()

    answers = at_once(8, lambda _: issue(inventory, code="A-1", quantity=1, **request))

    assert len(set(answers)) == 1
    assert stock(inventory) == 99


def test_one_operation_id_for_different_requests_is_won_by_one_of_them(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=100)
    request = new_request()

    def act(which: int) -> bool:
        try:
            issue(inventory, code="A-1", quantity=which + 1, **request)
        except OperationReused:
            return False
        return True

    assert sorted(at_once(8, act)) == [False] * 7 + [True]


def test_two_registrations_of_one_code_at_the_same_instant_are_one_product_and_one_refusal(
    inventory: Inventory,
) -> None:
    def act(which: int) -> str:
        draft = ProductDraft(("A-1", "a-1")[which], "Mesa", category="Muebles")
        try:
            register_product(inventory, draft=draft, quantity=3, **new_request())
        except DuplicateCode:
            return "duplicate"
        return "registered"

    assert sorted(at_once(2, act)) == ["duplicate", "registered"]
    assert stock(inventory) == 3


def test_of_edits_on_one_version_at_once_one_is_done_and_the_others_are_told(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    def act(which: int) -> bool:
        try:
            edit_product(
                inventory, code="A-1", draft=ProductDraft("A-1", f"name {which}"), expected_version=1, **new_request()
            )
        except EditConflict:
            return False
        return True

    assert sorted(at_once(8, act)) == [False] * 7 + [True]


def test_counts_without_a_guard_at_once_leave_the_last_one(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)
    at_once(8, lambda which: count(inventory, code="A-1", quantity=which, expected=None, **new_request()))

    assert stock(inventory) in range(8)
    assert verify(inventory).faults == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement", ["UPDATE product", "UPDATE balance", "INSERT INTO movement", "INSERT INTO operation_result"]
)
def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half_done(
    inventory: Inventory, tmp_path: Path, statement: str
) -> None:
    create_product(inventory, "A-1", quantity=5)
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=hang_before, args=(tmp_path / "inventory.db", statement, theirs))
    process.start()
    theirs.close()
    reached = ours.recv()
    process.kill()
    process.join()

    assert reached == "in the middle"
    assert stock(inventory) == 5
    assert verify(inventory).faults == ()
