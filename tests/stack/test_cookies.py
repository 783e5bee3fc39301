"""Cookies stay small enough for every proxy while a replica is paused."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import OK, SEE_OTHER

import pytest

from tests.stack.drills import everywhere, well_before_and_after
from tests.stack.system import System, eventually
from tests.stack.visitor import Answer, Visitor

pytestmark = pytest.mark.stack
MAX_BYTES = 4096
WRITES = 200
PARALLEL = 6
"""So many connections a browser opens to one server."""
ROUNDS = 10


@contextmanager
def replica_paused(system: System, admin: Visitor) -> Iterator[None]:
    """Let the replica answer nothing, so that no token is fulfilled, and wait until the instances know."""
    with well_before_and_after(system):
        system.compose("pause", "db-replica")
        try:
            eventually("it is noticed", lambda: everywhere(admin, "source_only"))
            yield
        finally:
            system.compose("unpause", "db-replica")


def browsing(system: System, code: str) -> Visitor:
    """Somebody who has made every choice that a cookie keeps, is logged in, and has a product."""
    browser = system.visitor()
    browser.get("/login")
    assert browser.post("/account/theme", theme="dark").status == SEE_OTHER
    assert browser.post("/account/language", language="es").status == SEE_OTHER
    browser.logged_in("admin", system.admin_password)
    register(browser, code)
    return browser


def register(browser: Visitor, code: str) -> None:
    """Make a product, unless a test before this one has."""
    browser.get("/products/new")
    assert browser.post("/products/new", code=code, name="Tornillo", quantity="1", minimum="0").status in {303, 422}
    browser.get("/inventory")


def change(browser: Visitor, code: str) -> Answer:
    """Add one, and see the page on which the browser is sent."""
    changed = browser.post(f"/products/{code}/quantity", delta="1")
    assert changed.status == SEE_OTHER, changed.text
    return browser.get(changed.header("Location"))


def change_in_parallel(browser: Visitor, codes: list[str]) -> None:
    """Send all changes with the same cookies before the first answer is read."""
    with ExitStack() as opened:
        connections = [browser.connection() for _ in codes]
        for connection, code in zip(connections, codes, strict=True):
            opened.callback(connection.close)
            body, headers = browser.form(delta="1")
            connection.request("POST", f"/products/{code}/quantity", body, headers | browser.cookie_header())
        answers = [browser.received(connection.getresponse()) for connection in connections]
    assert {answer.status for answer in answers} == {SEE_OTHER}


def header_bytes(browser: Visitor) -> int:
    return len(browser.cookie_header()["Cookie"])


def tokens(browser: Visitor) -> list[str]:
    return [name for name in browser.cookies if name.startswith("causal_")]


def test_cookies_of_browsers_that_alternate_200_writes_and_then_write_in_parallel_stay_below_4_kb(
    system: System, admin: Visitor
) -> None:
    browser, other = browsing(system, "COOKIE-A"), browsing(system, "COOKIE-B")
    codes = [f"COOKIE-{number}" for number in range(PARALLEL)]
    for code in codes:
        register(browser, code)
    sizes: list[int] = []
    with replica_paused(system, admin):
        for _ in range(WRITES // 2):
            for writer, code in ((browser, "COOKIE-A"), (other, "COOKIE-B")):
                assert change(writer, code).status == OK
                assert len(tokens(writer)) == 1
                sizes.append(header_bytes(writer))
        for _ in range(ROUNDS):
            change_in_parallel(browser, codes)
            assert 1 <= len(tokens(browser)) <= PARALLEL
            sizes.append(header_bytes(browser))
            assert browser.get("/inventory").status == OK
            assert len(tokens(browser)) == 1
            assert change(other, "COOKIE-B").status == OK

    assert max(sizes) <= MAX_BYTES
