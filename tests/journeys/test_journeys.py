"""One suite of journeys, wherever it is walked: what was acknowledged is there, once, and everybody sees their own at once."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import IncompleteRead
from pathlib import Path

import pytest

from tests.journeys.checker import violations
from tests.journeys.crowd import Crowd
from tests.journeys.ledger import Ledger
from tests.journeys.sites import Site, Stack, embedded
from tests.stack.drills import INSTANCES, behind, everywhere, gone, serving, well_before_and_after
from tests.stack.system import System, eventually
from tests.stack.visitor import Visitor


@pytest.fixture
def site(system: System) -> Iterator[Stack]:
    """The containers, which are well before a drill and after it."""
    with well_before_and_after(system):
        yield Stack(system)


def people(site: Site, number: int, *, patient: bool = False) -> Crowd:
    """So many people, logged in."""
    crowd = Crowd.of(site.administrator(), number, patient=patient)
    crowd.log_in()
    return crowd


def require_kept(site: Site, crowd: Crowd) -> Ledger:
    """Check that the ledger agrees with all responses."""
    ledger = Ledger.read(site.ask)
    assert violations(crowd.logbooks, ledger) == []
    assert site.verified()["faults"] == []
    return ledger


def require_kept_on_both(site: Stack, crowd: Crowd) -> None:
    """The same on the source, and on the replica as soon as it has caught up."""
    eventually("all is well again", lambda: everywhere(site.system.visitor(), "normal"))
    ledger = require_kept(site, crowd)
    eventually("the replica holds the same", lambda: Ledger.read(site.ask_replica) == ledger)


def without_writes(of: Visitor) -> Visitor:
    """Another browser of the same person, which has written nothing: it has the login, and no causal token."""
    cookies = {name: value for name, value in of.cookies.items() if not name.startswith("causal_")}
    return Visitor(of.host, of.port, cookies)


@contextmanager
def only_reading(of: Visitor) -> Iterator[Counter[int | None]]:
    """Read page after page until the block ends; return the statuses, None for a page that broke off."""
    seen: Counter[int | None] = Counter()
    over = threading.Event()

    def read() -> None:
        while not over.wait(0.05):
            try:
                seen[without_writes(of).get("/inventory").status] += 1
            except IncompleteRead:
                seen[None] += 1

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            yield seen
        finally:
            over.set()
    reading.result()


@pytest.mark.slow
def test_the_embedded_application_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    with embedded(tmp_path) as site:
        crowd = people(site, 3)
        with crowd.at_work():
            pass

        require_kept(site, crowd)


@pytest.mark.stack
def test_the_stack_keeps_what_it_acknowledges(site: Stack) -> None:
    crowd = people(site, 3)
    with crowd.at_work():
        pass

    require_kept_on_both(site, crowd)


@pytest.mark.stack
def test_every_user_sees_their_own_changes_at_once_while_the_replica_is_three_seconds_behind(site: Stack) -> None:
    with behind(site.system, 3):
        crowd = people(site, 3)
        with crowd.at_work():
            pass
        late, newest = Ledger.read(site.ask_replica), Ledger.read(site.ask)

    assert late.operations < newest.operations, "the replica was not behind: this proves nothing"
    require_kept_on_both(site, crowd)


@pytest.mark.stack
def test_without_the_replica_everything_goes_on(site: Stack) -> None:
    crowd = people(site, 3)
    with only_reading(site.administrator()) as seen, crowd.at_work():
        crowd.until_each("they write", lambda: crowd.acknowledged)
        with gone(site.system, "db-replica"):
            crowd.until("it is noticed", lambda: everywhere(site.system.visitor(), "source_only"))
            crowd.until_each("they write without it", lambda: crowd.acknowledged)

    assert set(seen) == {200}
    require_kept_on_both(site, crowd)


@pytest.mark.stack
def test_without_the_source_pages_are_read_and_changes_are_refused_whole_until_it_is_back(site: Stack) -> None:
    administrator = site.administrator()
    crowd = people(site, 4, patient=True)
    with only_reading(administrator) as seen, crowd.at_work():
        crowd.until_each("they write", lambda: crowd.acknowledged)
        with gone(site.system, "db"):
            crowd.until("it is noticed", lambda: everywhere(site.system.visitor(), "read_only"))
            before = crowd.acknowledged
            crowd.until_each("they are turned away", lambda: crowd.turned_away)
            for _ in range(6):
                page = without_writes(administrator).get("/inventory")
                assert page.status == 200
                assert "Solo lectura" in page.text
                assert float(page.header("X-Staleness-Seconds")) > 0
            login = site.system.visitor()
            login.get("/login")
            refused = login.post("/login", username="admin", password=site.system.admin_password)
            assert refused.status == 503
            assert int(refused.header("Retry-After")) > 0
            assert crowd.acknowledged == before
        crowd.until_each("they write again", lambda: crowd.acknowledged)

    assert set(seen) == {200}
    require_kept_on_both(site, crowd)


@pytest.mark.stack
def test_instances_that_are_killed_under_load_take_nothing_with_them(site: Stack) -> None:
    crowd = people(site, 6)
    killed = (*([name] for name in INSTANCES), INSTANCES[:2])
    with only_reading(site.administrator()) as seen, crowd.at_work():
        crowd.until_each("they write", lambda: crowd.acknowledged)
        for services in killed:
            with gone(site.system, *services):
                crowd.until_each("they write without it", lambda: crowd.acknowledged)
            crowd.until("they serve again", lambda: serving(site.system) == set(INSTANCES))

    # No balancer can take back a page of which an instance had sent the head when it died.
    assert seen.pop(None, 0) + crowd.broken_off <= sum(map(len, killed))
    assert set(seen) == {200}
    require_kept_on_both(site, crowd)
