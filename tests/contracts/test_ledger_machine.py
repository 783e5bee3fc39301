"""Whatever is done in whatever order, on every topology."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from inventory_core import Inventory
from tests.contracts.topologies import Topology
from tests.core.operations.test_ledger_machine import LedgerMachine


def test_the_ledger_agrees_with_a_dictionary(topology: Topology) -> None:
    class Machine(LedgerMachine):
        """Takes its inventory from the topology."""

        def new_inventory(self) -> Inventory:
            self.database = topology.database()
            return Inventory(self.database.__enter__().sessions)

        def close_inventory(self) -> None:
            self.database.__exit__(None, None, None)

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=5, stateful_step_count=15, suppress_health_check=[HealthCheck.too_slow])
    )
