"""The drills of the documents are carried out as they stand there, and show what the documents say."""

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.stack.drills import everywhere, well_before_and_after
from tests.stack.phpmyadmin import REPLICA, PhpMyAdmin
from tests.stack.system import REPOSITORY, System, eventually
from tests.stack.visitor import Answer, Visitor

DOCUMENTS = {"operating-containers.md": "## Drills", "operating-containers.es.md": "## Ejercicios"}
Drill = Callable[[System, Visitor, str], None]


def documented(name: str) -> list[str]:
    """What the document says to do: the command or the statement of each row."""
    section = (REPOSITORY / "docs" / name).read_text("utf-8").split(f"{DOCUMENTS[name]}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return [command for row in rows for command in re.findall("`([^`]+)`", row)]


@contextmanager
def done(system: System, command: str, undone_by: str = "start") -> Iterator[None]:
    """Type a command of the document, and in the end the one that ends the drill."""
    *_, service = words = shlex.split(command)
    system.run(*words)
    try:
        yield
    finally:
        system.compose(undone_by, service)


def register(visitor: Visitor, code: str) -> Answer:
    visitor.get("/products/new")
    return visitor.post("/products/new", code=code, name="Tornillo", quantity="1", minimum="0")


def require_work(visitor: Visitor, code: str) -> Answer:
    """Pages come, and what is saved is there at once; the page that shows it."""
    assert visitor.get("/inventory").status == 200
    assert register(visitor, code).status == 303
    page = visitor.get(f"/inventory?search={code}")
    assert f"/products/{code}" in page.text
    return page


def an_instance_is_killed(system: System, admin: Visitor, do: str) -> None:
    with done(system, do):
        assert {admin.get("/inventory").status for _ in range(12)} == {200}
        eventually("the balancer leaves it alone", lambda: admin.instance() != "web1")
        turns = Counter(admin.instance() for _ in range(60))
        require_work(admin, "DRILL-INSTANCE")

    assert set(turns) == {"web2", "web3"}
    assert 1.5 < turns["web2"] / turns["web3"] < 2.5


def an_instance_is_paused(system: System, admin: Visitor, do: str) -> None:
    with done(system, do, undone_by="unpause"):
        assert {admin.get("/inventory").status for _ in range(12)} == {200}
        require_work(admin, "DRILL-PAUSED-INSTANCE")
        assert {admin.instance() for _ in range(6)} <= {"web2", "web3"}


def an_instance_is_isolated(system: System, admin: Visitor, do: str) -> None:
    command = shlex.split(re.sub(r"\binventory(?=[_-])", system.project, do))
    system.run(*command)
    try:
        assert {admin.get("/inventory").status for _ in range(12)} == {200}
        for number in range(6):
            assert require_work(admin, f"DRILL-ISOLATED-{number}").header("X-Served-By") in {"web2", "web3"}
    finally:
        system.run(*("connect" if word == "disconnect" else word for word in command))


def the_replica_is_killed(system: System, admin: Visitor, do: str) -> None:
    with done(system, do):
        eventually("it is noticed", lambda: everywhere(admin, "source_only"))
        page = require_work(admin, "DRILL-NO-REPLICA")

    assert not page.header("X-Staleness-Seconds"), "not the source has answered"


def the_replica_is_paused(system: System, admin: Visitor, do: str) -> None:
    with done(system, do, undone_by="unpause"):
        require_work(admin, "DRILL-PAUSED")
        eventually("it is noticed", lambda: everywhere(admin, "source_only"))
        page = require_work(admin, "DRILL-STILL-PAUSED")

    assert not page.header("X-Staleness-Seconds"), "not the source has answered"


def the_source_is_killed(system: System, admin: Visitor, do: str) -> None:
    require_work(admin, "DRILL-BEFORE")
    question = "SELECT COUNT(*) FROM inventory.product WHERE code = '{}'"
    eventually("the replica has it", lambda: system.query("db-replica", question.format("DRILL-BEFORE")) == "1")
    with done(system, do):
        eventually("it is noticed", lambda: everywhere(admin, "read_only"))
        page = admin.get("/inventory?search=DRILL-BEFORE")
        refused = register(admin, "DRILL-REFUSED")

    assert (page.status, refused.status) == (200, 503)
    assert "/products/DRILL-BEFORE" in page.text
    assert re.search(r"Solo lectura: .* puede tener hasta \d+ segundos? de retraso", page.text)
    assert float(page.header("X-Staleness-Seconds")) > 0
    assert int(refused.header("Retry-After")) > 0
    eventually("it is back", lambda: everywhere(system.visitor(), "normal"))
    assert system.query("db", question.format("DRILL-REFUSED")) == "0"


def somebody_writes_on_the_replica(system: System, admin: Visitor, do: str) -> None:
    require_work(admin, "DRILL-KEPT")

    told = PhpMyAdmin(system, REPLICA).run(do)

    assert "#1290" in told
    assert "super-read-only" in told
    assert "/products/DRILL-KEPT" in admin.get("/inventory?search=DRILL-KEPT").text


def the_replica_stands_still(system: System, admin: Visitor, do: str) -> None:
    somebody_else = Visitor(admin.host, admin.port, dict(admin.cookies))
    replica = PhpMyAdmin(system, REPLICA)
    assert '"success":true' in replica.run(do)
    try:
        page = require_work(admin, "DRILL-STANDSTILL")
        of_others = somebody_else.get("/inventory?search=DRILL-STANDSTILL")
    finally:
        replica.run("START REPLICA")

    assert not page.header("X-Staleness-Seconds"), "not the source has answered"
    assert "/products/DRILL-STANDSTILL" not in of_others.text


DRILLS: dict[str, Drill] = {
    "docker compose kill web1": an_instance_is_killed,
    "docker compose pause web1": an_instance_is_paused,
    "docker network disconnect inventory_data inventory-web1-1": an_instance_is_isolated,
    "docker compose kill db-replica": the_replica_is_killed,
    "docker compose pause db-replica": the_replica_is_paused,
    "docker compose kill db": the_source_is_killed,
    "DELETE FROM inventory.product": somebody_writes_on_the_replica,
    "STOP REPLICA": the_replica_stands_still,
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_documented_drill_is_carried_out_here(document: str) -> None:
    assert documented(document) == list(DRILLS)


@pytest.mark.stack
@pytest.mark.parametrize("do", DRILLS)
def test_a_drill_shows_what_the_document_says(system: System, admin: Visitor, do: str) -> None:
    with well_before_and_after(system):
        DRILLS[do](system, admin, do)
