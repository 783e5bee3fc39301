"""Whatever is done in whatever order: balances are the sums of movements, never negative, and nothing is done twice."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from inventory_core import CannotUndo, CountConflict, InsufficientStock, Inventory, ProductRetired, change_quantity
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.stock.operations import count, issue, receive, transfer, undo_movement
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify
from tests.contracts.topologies import Topology
from tests.core.imports.stored import balances

CODES = st.sampled_from(["A", "B"])
PLACES = st.sampled_from(["Principal", "Sótano"])
AMOUNTS = st.integers(1, 9)


class LedgerMachine(RuleBasedStateMachine):
    """Compares an inventory with a dictionary; every operation is requested twice."""

    topology: Topology

    @initialize()
    def open_inventory(self) -> None:
        self.database = self.topology.database()
        self.inventory = Inventory(self.database.__enter__().sessions)
        self.balances = {(code, place): 0 for code in ("A", "B") for place in ("Principal", "Sótano")}
        self.retired: set[str] = set()
        self.undoable: dict[int, dict[tuple[str, str], int]] = {}
        create_location(self.inventory, "Sótano")
        for code in ("A", "B"):
            create_product(self.inventory, code)

    @rule(code=CODES, place=PLACES, amount=AMOUNTS)
    def receive(self, code: str, place: str, amount: int) -> None:
        self.change(receive, {(code, place): amount}, code=code, quantity=amount, location=place)

    @rule(code=CODES, place=PLACES, amount=AMOUNTS)
    def issue(self, code: str, place: str, amount: int) -> None:
        self.change(issue, {(code, place): -amount}, code=code, quantity=amount, location=place)

    @rule(code=CODES, place=PLACES, delta=st.integers(-3, 3).filter(bool))
    def change_quantity(self, code: str, place: str, delta: int) -> None:
        self.change(change_quantity, {(code, place): delta}, code=code, delta=delta, location=place)

    @rule(code=CODES, amount=AMOUNTS, there=st.booleans())
    def transfer(self, code: str, amount: int, there: bool) -> None:
        source, target = ("Principal", "Sótano") if there else ("Sótano", "Principal")
        moved = {(code, source): -amount, (code, target): amount}
        self.change(transfer, moved, code=code, quantity=amount, source=source, target=target)

    @rule(code=CODES, place=PLACES, found=st.integers(0, 9), expected=st.integers(0, 9) | st.none())
    def count(self, code: str, place: str, found: int, expected: int | None) -> None:
        here = self.balances[code, place]
        moved = {(code, place): found - here}
        wrong = expected is not None and expected != here
        self.change(
            count,
            moved,
            CountConflict if wrong else None,
            code=code,
            quantity=found,
            expected=expected,
            location=place,
        )

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        if not self.undoable:
            return
        movement = data.draw(st.sampled_from(sorted(self.undoable)))
        moved = {key: -quantity for key, quantity in self.undoable[movement].items()}
        done = self.change(undo_movement, moved, movement_id=movement)
        if done is not None:
            undone = self.undoable[movement]
            self.undoable = {other: change for other, change in self.undoable.items() if change is not undone}
            self.refused(CannotUndo, undo_movement, movement_id=movement)
            self.refused(CannotUndo, undo_movement, movement_id=done)

    @rule(code=CODES)
    def retire(self, code: str) -> None:
        self.twice(retire_product, code=code)
        self.retired.add(code)

    @rule(code=CODES)
    def restore(self, code: str) -> None:
        self.twice(restore_product, code=code)
        self.retired.discard(code)

    @invariant()
    def balances_are_as_expected(self) -> None:
        stored = balances(self.inventory)

        assert {key: stored.get(key, 0) for key in self.balances} == self.balances
        assert min(self.balances.values()) >= 0

    def teardown(self) -> None:
        if hasattr(self, "inventory"):
            found = verify(self.inventory).faults
            self.database.__exit__(None, None, None)

            assert found == ()

    def change(
        self, operate: Any, moved: dict[tuple[str, str], int], refusal: type[Exception] | None = None, **arguments: Any
    ) -> int | None:
        """Do it, expect what the dictionary says, and give the first movement's id unless it is to be refused."""
        if {code for code, _ in moved} & self.retired:
            refusal = ProductRetired
        elif refusal is None and any(self.balances[key] + quantity < 0 for key, quantity in moved.items()):
            refusal = InsufficientStock
        if refusal is not None:
            self.refused(refusal, operate, **arguments)
            return None
        result = self.twice(operate, **arguments)
        for key, quantity in moved.items():
            self.balances[key] += quantity
        if operate is not undo_movement and any(moved.values()):
            for movement in result.movement_ids:
                self.undoable[movement] = moved
        return int(result.movement_ids[0])

    def twice(self, operate: Any, **arguments: Any) -> Any:
        request = new_request()
        first = operate(self.inventory, **arguments, **request)

        assert operate(self.inventory, **arguments, **request) == first
        return first

    def refused(self, refusal: type[Exception], operate: Any, **arguments: Any) -> None:
        try:
            operate(self.inventory, **arguments, **new_request())
        except refusal:
            return
        raise AssertionError(f"{operate.__name__} should have raised {refusal.__name__}")


@pytest.mark.hypothesis
def test_ledger_machine_agrees_with_a_dictionary(topology: Topology) -> None:
    class Machine(LedgerMachine):
        """Keeps its inventories on the topology."""

    Machine.topology = topology
    chosen = settings(suppress_health_check=[HealthCheck.too_slow])
    if topology.name != "sqlite":
        # A server needs more time for each example.
        chosen = settings(chosen, max_examples=5, stateful_step_count=15)
    run_state_machine_as_test(Machine, settings=chosen)
