"""Planned switchover under writes, there and back, without losing data."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.stack.drills import INSTANCES, databases
from tests.stack.system import ONCE, RUNNING, System, eventually
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack
SWITCHOVER = ("run", "--rm", "--no-deps", "provision", "inventory-replication", "switchover")
STORED = (
    "SELECT p.code, p.quantity, COUNT(*) FROM inventory.inventory_product p "
    "JOIN inventory.inventory_movement m ON m.product_id = p.id "
    "WHERE p.code LIKE 'SWITCH-%' GROUP BY p.id"
)


class Writer:
    """Somebody who registers one product after the other, repeats what was refused, and notes what was confirmed."""

    def __init__(self, visitor: Visitor, name: str) -> None:
        self.visitor = visitor
        self.name = name
        self.confirmed: list[str] = []
        self.refused = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)

    @contextmanager
    def writing(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._end.set()
            self._thread.join()

    def wait_for(self, more: int) -> None:
        goal = len(self.confirmed) + more
        eventually(f"{more} more are confirmed", lambda: len(self.confirmed) >= goal)

    def _write(self) -> None:
        while not self._end.wait(0.05):
            code = f"SWITCH-{self.name}-{len(self.confirmed):04}"
            self.visitor.get("/products/new")
            saved = self.visitor.post("/products/new", code=code, name="Tornillo", quantity="1", minimum="0")
            # After an answer that leaves it open, the repetition finds the code taken: it had been stored.
            if saved.status == 303 or (saved.status == 422 and code in saved.text and self.refused):
                self.confirmed.append(code)
            else:
                self.refused += 1


def sources(system: System) -> dict[str, Any]:
    """Mode and source, as each instance sees them."""
    reported = databases(system).items()
    return {instance: (database["mode"], database["source"]["name"]) for instance, database in reported}


def everywhere(system: System, source: str) -> None:
    wanted = dict.fromkeys(INSTANCES, ("normal", source))
    eventually(f"{source} is the source for everybody", lambda: sources(system) == wanted)


def stored(system: System, server: str) -> dict[str, tuple[str, ...]]:
    rows = (line.split("\t") for line in system.query(server, STORED).splitlines())
    return {code: tuple(rest) for code, *rest in rows}


def roles(system: System) -> dict[str, str]:
    return {name: system.query(name, "SELECT @@super_read_only") for name in ("db", "db-replica")}


def test_the_source_changes_there_and_back_and_every_confirmed_product_is_there_once(
    system: System, admin: Visitor
) -> None:
    everywhere(system, "db")
    writer = Writer(admin, "A")
    try:
        with writer.writing():
            writer.wait_for(10)
            there = system.compose(*SWITCHOVER, "db-replica").stdout
            writer.wait_for(10)
            everywhere(system, "db-replica")
            exchanged = roles(system)
            writer.wait_for(10)
    finally:
        back = system.compose(*SWITCHOVER, "db").stdout
    everywhere(system, "db")
    eventually("both have everything", lambda: stored(system, "db") == stored(system, "db-replica"))

    assert "db-replica is the source" in there
    assert exchanged == {"db": "1", "db-replica": "0"}
    assert "db is the source" in back
    assert roles(system) == {"db": "0", "db-replica": "1"}
    found = stored(system, "db")
    assert {code: found.get(code) for code in writer.confirmed} == dict.fromkeys(writer.confirmed, ("1", "1"))
    assert "0 fallos" in system.compose("exec", "-T", "web1", "inventory", "verify").stdout


def test_a_start_with_exchanged_roles_finds_nothing_to_do(system: System, admin: Visitor) -> None:
    everywhere(system, "db")
    system.compose(*SWITCHOVER, "db-replica")
    try:
        everywhere(system, "db-replica")
        system.up()
        containers = system.containers()
        system.compose("restart", "db", "db-replica", "web1")
        eventually(
            "every service is healthy", lambda: {system.health(name) for name in RUNNING} == {"healthy"}, seconds=120
        )
        everywhere(system, "db-replica")
        # A start may have made the balancer anew, and Docker another port for it.
        admin.port = system.port("nginx", 80)
        admin.get("/products/new")
        saved = admin.post("/products/new", code="EXCHANGED", name="Tornillo", quantity="1", minimum="0")
        reported = system.compose("logs", "--tail", "3", "provision").stdout
    finally:
        system.compose(*SWITCHOVER, "db")
    everywhere(system, "db")

    assert {name: containers[name]["State"]["ExitCode"] for name in ONCE} == dict.fromkeys(ONCE, 0)
    assert "nothing to do" in reported
    assert "db-replica is the source" in reported
    assert saved.status == 303, saved.text
    assert system.query("db", "SELECT COUNT(*) FROM inventory.inventory_product WHERE code = 'EXCHANGED'") == "1"
