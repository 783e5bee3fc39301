"""Failover as the operations guide describes it: a lost source, its promoted replica, and its return."""

import re
import shlex
import time

import pytest

from tests.stack.drills import databases, everywhere, well_before_and_after
from tests.stack.system import REPOSITORY, System, eventually
from tests.stack.visitor import Answer, Visitor

DOCUMENTS = {
    "operating-containers.md": "## A source that is lost",
    "operating-containers.es.md": "## Una fuente que se pierde",
}
HELD_CLOSED_SECONDS = 8.0
COUNT = "SELECT COUNT(*) FROM inventory.inventory_product WHERE code = '{}'"


def commands(name: str) -> list[list[str]]:
    section = (REPOSITORY / "docs" / name).read_text("utf-8").split(DOCUMENTS[name])[1]
    block = re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[0]
    return [shlex.split(line) for line in block.splitlines()]


def test_the_lost_source_has_the_same_commands_in_both_languages() -> None:
    english, spanish = map(commands, DOCUMENTS)

    assert english == spanish
    assert len(english) == 8


def register(visitor: Visitor, code: str) -> Answer:
    visitor.get("/products/new")
    return visitor.post("/products/new", code=code, name="Tornillo", quantity="1", minimum="0")


def source_is(system: System, name: str) -> bool:
    found = databases(system)
    return bool(found) and all((each.get("source") or {}).get("name") == name for each in found.values())


def closed(system: System, service: str) -> bool:
    return system.query(service, "SELECT @@super_read_only") == "1"


@pytest.mark.stack
def test_a_source_that_restarts_is_opened_again_without_a_person(system: System, admin: Visitor) -> None:
    with well_before_and_after(system):
        system.compose("kill", "db")
        system.compose("start", "db")
        eventually("it is the source again", lambda: source_is(system, "db"))
        saved = register(admin, "AFTER-CRASH")

    assert saved.status == 303
    assert "opened for writes" in system.compose("logs", "--tail", "3", "guard").stdout


@pytest.mark.stack
def test_a_lost_source_that_comes_back_alone_is_not_written_to(system: System, admin: Visitor) -> None:
    kill, failover, kill_successor, start_old, restart, start_successor, provision, back = commands(
        "operating-containers.md"
    )
    with well_before_and_after(system):
        assert register(admin, "BEFORE-LOSS").status == 303
        eventually("the replica has it", lambda: system.query("db-replica", COUNT.format("BEFORE-LOSS")) == "1")
        system.run(*kill)
        eventually("the loss is noticed", lambda: everywhere(admin, "read_only"))
        assert admin.get("/inventory").status == 200
        assert register(admin, "WITHOUT-A-SOURCE").status == 503
        system.run(*failover)
        eventually("the replica is the source", lambda: source_is(system, "db-replica"))
        assert register(admin, "AFTER-LOSS").status == 303

        system.run(*kill_successor)
        system.run(*start_old)
        eventually("the old source answers", lambda: system.health("db") == "healthy")
        system.run(*restart)
        eventually("old data is not shown", lambda: admin.get("/inventory").status == 503)
        until = time.monotonic() + HELD_CLOSED_SECONDS
        while time.monotonic() < until:
            assert closed(system, "db")
            assert register(admin, "ON-THE-OLD-SOURCE").status in {502, 503}
        said = system.compose("logs", "--tail", "5", "guard").stdout
        assert system.query("db", COUNT.format("ON-THE-OLD-SOURCE")) == "0"

        system.run(*start_successor)
        eventually("its successor is open again", lambda: source_is(system, "db-replica"))
        assert closed(system, "db")
        system.run(*provision)
        system.run(*back)

    assert re.search(r"source on record \(epoch \d+", said)
    assert system.query("db", COUNT.format("AFTER-LOSS")) == "1"
    assert system.query("db", COUNT.format("WITHOUT-A-SOURCE")) == "0"
