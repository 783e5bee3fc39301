"""Run the documented drills and compare the results with the documentation."""

import re
import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from tests.stack.drills import INSTANCES, everywhere, well_before_and_after
from tests.stack.phpmyadmin import REPLICA, PhpMyAdmin
from tests.stack.system import REPOSITORY, System, eventually
from tests.stack.visitor import Answer, Visitor

DOCUMENTS = {"operating-containers.md": "## Drills", "operating-containers.es.md": "## Ejercicios"}
PAGE_SECONDS, CHANGE_SECONDS = 10, 2
"""How much longer a page and a change take that would have gone to a paused instance."""
MARGIN_SECONDS = 5
CUT_OFF = "readers cut off, to be served elsewhere"
Drill = Callable[[System, Visitor, str, str], None]


def documented(name: str) -> dict[str, str]:
    """What the document says to do, a command or a statement for each row, and what ends it."""
    section = (REPOSITORY / "docs" / name).read_text("utf-8").split(f"{DOCUMENTS[name]}\n")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for row in re.findall(r"^\| (.*) \| (.*) \|$", section, re.MULTILINE):
        for command in re.findall("`([^`]+)`", row[0]):
            endings = re.findall("`((?:docker|START) [^`]+)`", row[1])
            found[command] = endings[-1] if endings else command.replace("docker compose kill", "docker compose start")
    return found


def type_command(system: System, command: str) -> None:
    """Type a command of the document, which names the shipped project."""
    system.run(*shlex.split(re.sub(r"\binventory(?=[_-])", system.project, command)))


@contextmanager
def done(system: System, do: str, end: str) -> Iterator[None]:
    """Carry out a drill of the document, and end it as the document says."""
    type_command(system, do)
    try:
        yield
    finally:
        type_command(system, end)


@contextmanager
def pages_read(visitor: Visitor) -> Iterator[list[Answer]]:
    """Read pages all the time, as people who have changed nothing."""
    over = threading.Event()
    pages: list[Answer] = []
    cookies = {name: value for name, value in visitor.cookies.items() if not name.startswith("causal_")}

    def read() -> None:
        while not over.is_set():
            pages.append(Visitor(visitor.host, visitor.port, dict(cookies)).get("/inventory"))

    with ThreadPoolExecutor(3) as crowd:
        readers = [crowd.submit(read) for _ in range(3)]
        try:
            yield pages
        finally:
            over.set()
        for reader in readers:
            reader.result()


def timed(send: Callable[[], Answer]) -> tuple[Answer, float]:
    """An answer, and how many seconds it took."""
    began = time.monotonic()
    return send(), time.monotonic() - began


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


def an_instance_is_killed(system: System, admin: Visitor, do: str, end: str) -> None:
    with done(system, do, end):
        assert {admin.get("/inventory").status for _ in range(12)} == {200}
        eventually("the balancer leaves it alone", lambda: admin.instance() != "web1")
        feet = [re.findall(r"Atendido por (\w+)", admin.get("/inventory").text) for _ in range(60)]
        require_work(admin, "DRILL-INSTANCE")

    turns = Counter(name for (name,) in feet)
    assert set(turns) == {"web2", "web3"}
    assert 1.5 < turns["web2"] / turns["web3"] < 2.5


def an_instance_is_paused(system: System, admin: Visitor, do: str, end: str) -> None:
    product = {"name": "Tornillo", "quantity": "1", "minimum": "0"}
    with done(system, do, end):
        pages = [timed(lambda: admin.get("/inventory")) for _ in range(12)]
        codes = [f"DRILL-PAUSE-{number}" for number in range(6)]
        changes = [timed(partial(admin.post, "/products/new", code=code, **product)) for code in codes]
        require_work(admin, "DRILL-PAUSED-INSTANCE")
        assert {admin.instance() for _ in range(6)} <= {"web2", "web3"}

    assert {answer.status for answer, _ in pages} == {200}
    assert {answer.status for answer, _ in changes} == {303}
    assert max(seconds for _, seconds in pages) < PAGE_SECONDS + MARGIN_SECONDS
    assert max(seconds for _, seconds in changes) < CHANGE_SECONDS + MARGIN_SECONDS


def an_instance_is_isolated(system: System, admin: Visitor, do: str, end: str) -> None:
    with done(system, do, end):
        assert {admin.get("/inventory").status for _ in range(12)} == {200}
        for number in range(6):
            assert require_work(admin, f"DRILL-ISOLATED-{number}").header("X-Served-By") in {"web2", "web3"}


def the_replica_is_killed(system: System, admin: Visitor, do: str, end: str) -> None:
    with done(system, do, end):
        eventually("it is noticed", lambda: everywhere(admin, "source_only"))
        page = require_work(admin, "DRILL-NO-REPLICA")

    assert not page.header("X-Staleness-Seconds"), "not the source has answered"
    assert "Solo lectura" not in page.text


def the_replica_is_paused(system: System, admin: Visitor, do: str, end: str) -> None:
    before = system.compose("logs", *INSTANCES).stdout.count(CUT_OFF)
    with pages_read(admin) as pages, done(system, do, end):
        require_work(admin, "DRILL-PAUSED")
        eventually("it is noticed", lambda: everywhere(admin, "source_only"))
        page = require_work(admin, "DRILL-STILL-PAUSED")

    assert {each.status for each in pages} == {200}
    assert system.compose("logs", *INSTANCES).stdout.count(CUT_OFF) > before
    assert not page.header("X-Staleness-Seconds"), "not the source has answered"


def the_source_is_killed(system: System, admin: Visitor, do: str, end: str) -> None:
    require_work(admin, "DRILL-BEFORE")
    question = "SELECT COUNT(*) FROM inventory.inventory_product WHERE code = '{}'"
    eventually("the replica has it", lambda: system.query("db-replica", question.format("DRILL-BEFORE")) == "1")
    with done(system, do, end):
        eventually("it is noticed", lambda: everywhere(admin, "read_only"))
        page = admin.get("/inventory?search=DRILL-BEFORE")
        refused = register(admin, "DRILL-REFUSED")

    assert (page.status, refused.status) == (200, 503)
    assert "Servicio no disponible" in refused.text
    assert "/products/DRILL-BEFORE" in page.text
    assert re.search(r"Solo lectura: .* puede tener hasta \d+ segundos? de retraso", page.text)
    assert float(page.header("X-Staleness-Seconds")) > 0
    assert int(refused.header("Retry-After")) > 0
    eventually("it is back", lambda: everywhere(system.visitor(), "normal"))
    assert system.query("db", question.format("DRILL-REFUSED")) == "0"


def somebody_writes_on_the_replica(system: System, admin: Visitor, do: str, _end: str) -> None:
    require_work(admin, "DRILL-KEPT")

    reported = PhpMyAdmin(system, REPLICA).run(do)

    assert "#1290" in reported
    assert "super-read-only" in reported
    assert "/products/DRILL-KEPT" in admin.get("/inventory?search=DRILL-KEPT").text


def the_replica_stands_still(system: System, admin: Visitor, do: str, end: str) -> None:
    somebody_else = Visitor(admin.host, admin.port, dict(admin.cookies))
    replica = PhpMyAdmin(system, REPLICA)
    assert '"success":true' in replica.run(do)
    try:
        page = require_work(admin, "DRILL-STANDSTILL")
        of_others = somebody_else.get("/inventory?search=DRILL-STANDSTILL")
    finally:
        replica.run(end)

    assert not page.header("X-Staleness-Seconds"), "not the source has answered"
    assert "/products/DRILL-STANDSTILL" not in of_others.text


DRILLS: dict[str, Drill] = {
    "docker compose kill web1": an_instance_is_killed,
    "docker compose pause web1": an_instance_is_paused,
    "docker network disconnect inventory_data inventory-web1-1": an_instance_is_isolated,
    "docker compose kill db-replica": the_replica_is_killed,
    "docker compose pause db-replica": the_replica_is_paused,
    "docker compose kill db": the_source_is_killed,
    "DELETE FROM inventory.inventory_product": somebody_writes_on_the_replica,
    "STOP REPLICA": the_replica_stands_still,
}


def test_each_documented_drill_is_carried_out_here() -> None:
    english, spanish = map(documented, DOCUMENTS)

    assert english == spanish
    assert list(english) == list(DRILLS)


@pytest.mark.stack
@pytest.mark.parametrize("do", DRILLS)
def test_a_drill_shows_what_the_document_says(system: System, admin: Visitor, do: str) -> None:
    with well_before_and_after(system):
        DRILLS[do](system, admin, do, documented("operating-containers.md")[do])
