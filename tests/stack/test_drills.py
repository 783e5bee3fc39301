"""What users see while a database is gone, or behind: reads go on, what was confirmed stays, and nothing is half done."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.stack.system import System, eventually
from tests.stack.visitor import Answer, Visitor

pytestmark = pytest.mark.stack
DELAY = "STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY={}; START REPLICA SQL_THREAD"


def register(visitor: Visitor, code: str) -> Answer:
    visitor.get("/products/new")
    return visitor.post("/products/new", code=code, name="Tornillo", quantity="1", minimum="0")


def mode(visitor: Visitor) -> str:
    return str(visitor.health()["database"]["mode"])


def everywhere(visitor: Visitor, wanted: str) -> bool:
    """Whether each instance, by three turns of six, sees the databases like that."""
    return {mode(visitor) for _ in range(18)} == {wanted}


@contextmanager
def behind(system: System, seconds: int) -> Iterator[None]:
    system.query("db-replica", DELAY.format(seconds))
    try:
        yield
    finally:
        system.query("db-replica", DELAY.format(0))


@contextmanager
def gone(system: System, service: str) -> Iterator[None]:
    system.compose("kill", service)
    try:
        yield
    finally:
        system.compose("start", service)
        eventually("all is well again", lambda: everywhere(system.visitor(), "normal"))


def test_everybody_sees_their_own_changes_at_once_while_the_replica_is_behind(system: System, admin: Visitor) -> None:
    eventually("all is well", lambda: everywhere(admin, "normal"))
    with behind(system, 3):
        for number in range(6):
            code = f"BEHIND-{number}"
            saved = register(admin, code)

            assert saved.status == 303, saved.text
            assert code in admin.get(f"/inventory?search={code}").text
            assert admin.get(f"/products/{code}").status == 200
            arrived = "SELECT COUNT(*) FROM inventory.product WHERE code LIKE 'BEHIND-%'"
            assert int(system.query("db-replica", arrived)) <= number, "the replica was not behind: this proves nothing"


def test_without_the_replica_everything_goes_on(system: System, admin: Visitor) -> None:
    eventually("all is well", lambda: everywhere(admin, "normal"))
    with gone(system, "db-replica"):
        for number in range(6):
            assert register(admin, f"ALONE-{number}").status == 303
            assert f"ALONE-{number}" in admin.get(f"/inventory?search=ALONE-{number}").text
        eventually("it is noticed", lambda: everywhere(admin, "source_only"))
    question = "SELECT COUNT(*) FROM inventory.product WHERE code LIKE 'ALONE-%'"

    eventually("the replica has caught up", lambda: system.query("db-replica", question) == "6")


def test_without_the_source_pages_are_read_and_changes_are_refused_whole(system: System, admin: Visitor) -> None:
    eventually("all is well", lambda: everywhere(admin, "normal"))
    assert register(admin, "BEFORE").status == 303
    eventually(
        "the replica has it",
        lambda: system.query("db-replica", "SELECT COUNT(*) FROM inventory.product WHERE code = 'BEFORE'") == "1",
    )
    with gone(system, "db"):
        eventually("it is noticed", lambda: everywhere(admin, "read_only"))
        for number in range(6):
            page = admin.get("/inventory?search=BEFORE")
            refused = register(admin, f"REFUSED-{number}")

            assert (page.status, refused.status) == (200, 503)
            assert "BEFORE" in page.text
            assert "Solo lectura" in page.text
            assert float(page.header("X-Staleness-Seconds")) > 0
            assert int(refused.header("Retry-After")) > 0
    assert register(admin, "AFTER").status == 303
    assert system.query("db", "SELECT COUNT(*) FROM inventory.product WHERE code LIKE 'REFUSED-%'") == "0"
    assert "0 fallos" in system.compose("exec", "-T", "web1", "inventory", "verify").stdout
