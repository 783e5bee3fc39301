"""The relay of an application that serves: it needs no request, and no request delivers anything."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, current_app
from flask_babel import gettext
from sqlalchemy import text, update

from inventory_core import (
    Inventory,
    OutboxRelay,
    SingleDatabase,
    StockChanged,
    build_plugin_manager,
    hookimpl,
    new_operation_id,
    outbox_status,
)
from inventory_core.models import OUTBOX
from inventory_core.stock.outbox import MAX_UNKNOWN_ATTEMPTS
from inventory_core.testing import create_product
from inventory_web.jobs.outbox_relay import get_relay
from tests.core.outbox import make_due
from tests.web.browser import Browser
from tests.web.jobs.serving import eventually


class Listener:
    """Takes events and notes by which thread; fails for the first attempts."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.codes: list[str] = []
        self.threads: set[str] = set()
        self.attempts: list[float] = []

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.attempts.append(time.monotonic())
        self.threads.add(threading.current_thread().name)
        if len(self.attempts) <= self.failures:
            raise OSError("not now")
        self.codes.append(event.code)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def serving(make_app: Callable[..., Flask]) -> Iterator[Callable[..., Flask]]:
    """Make an application whose relay runs until the test ends."""
    apps: list[Flask] = []

    def make(*plugins: object) -> Flask:
        app = make_app(*plugins)
        get_relay(app).start()
        apps.append(app)
        return app

    yield make
    for app in apps:
        get_relay(app).stop()


@pytest.fixture
def elsewhere(sessions: SingleDatabase) -> Inventory:
    """Another program with a plugin that listens, such as a job that uses the library."""
    return Inventory(sessions, build_plugin_manager([Listener()]))


def test_relay_delivers_events_of_other_programs_without_a_request(
    serving: Callable[..., Flask], listener: Listener, elsewhere: Inventory
) -> None:
    serving(listener)

    create_product(elsewhere, "A-1", quantity=5)

    eventually("the event is delivered", lambda: listener.codes == ["A-1"])
    eventually("the event is deleted", lambda: outbox_status(elsewhere).waiting == 0)


def test_no_request_thread_delivers_events(
    make_app: Callable[..., Flask], listener: Listener, elsewhere: Inventory
) -> None:
    create_product(elsewhere, "A-1", quantity=5)
    app = make_app(listener)
    browser = Browser(app).let_in("olga")
    browser.get("/products/A-1")
    answer = browser.post("/products/A-1/quantity", delta="1", expected="5", operation=new_operation_id())

    assert answer.status_code in (200, 303)
    assert listener.attempts == []
    assert outbox_status(elsewhere).waiting == 2
    get_relay(app).start()
    eventually("both events are delivered", lambda: listener.codes == ["A-1", "A-1"])
    get_relay(app).stop()
    assert listener.threads == {"outbox-relay"}


@pytest.mark.slow
def test_relay_retries_after_two_and_four_seconds_without_traffic(
    serving: Callable[..., Flask], elsewhere: Inventory
) -> None:
    listener = Listener(failures=2)
    serving(listener)
    create_product(elsewhere, "A-1", quantity=5)

    eventually("the third attempt succeeds", lambda: listener.codes)
    first, second, third = listener.attempts
    assert 1.9 <= second - first < 4
    assert 3.9 <= third - second < 8


def test_relays_of_two_instances_share_the_events(serving: Callable[..., Flask], elsewhere: Inventory) -> None:
    listeners = [Listener(), Listener()]
    for listener in listeners:
        serving(listener)
    codes = [create_product(elsewhere, f"P-{number}", quantity=1).code for number in range(10)]

    eventually("all events are delivered", lambda: outbox_status(elsewhere).waiting == 0)
    assert Counter(code for listener in listeners for code in listener.codes) == Counter(codes)


def test_relay_runs_plugins_in_an_application_context(serving: Callable[..., Flask], elsewhere: Inventory) -> None:
    seen: list[tuple[str, str]] = []

    class UsesFlask:
        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            seen.append((current_app.name, gettext("Inventario") + event.code))

    serving(UsesFlask())
    create_product(elsewhere, "A-1", quantity=5)

    eventually("the plugin has seen the application", lambda: seen == [("inventory_web", "InventarioA-1")])


def test_relay_runs_only_if_started_and_if_a_plugin_listens(
    make_app: Callable[..., Flask], serving: Callable[..., Flask], listener: Listener
) -> None:
    assert not get_relay(make_app(listener)).is_running
    assert not get_relay(serving()).is_running
    assert get_relay(serving(listener)).is_running


def test_an_idle_relay_stops_immediately(serving: Callable[..., Flask], listener: Listener) -> None:
    app = serving(listener)
    began = time.monotonic()
    get_relay(app).stop()

    assert time.monotonic() - began < 1
    assert not get_relay(app).is_running


def test_relay_survives_a_lost_database(
    serving: Callable[..., Flask], listener: Listener, elsewhere: Inventory, sessions: SingleDatabase
) -> None:
    app = serving(listener)
    sessions.write(lambda session: session.execute(text("ALTER TABLE inventory_outbox RENAME TO lost")))
    time.sleep(1.2)  # longer than a pause between two looks
    assert get_relay(app).is_running
    sessions.write(lambda session: session.execute(text("ALTER TABLE lost RENAME TO inventory_outbox")))
    create_product(elsewhere, "A-1", quantity=5)

    eventually("the event is delivered", lambda: listener.codes == ["A-1"])


def test_metrics_report_the_outbox(make_app: Callable[..., Flask], elsewhere: Inventory) -> None:
    listener = Listener(failures=1)
    app = make_app(listener)
    for code in ("A-1", "B-2"):
        create_product(elsewhere, code, quantity=5)
    browser = Browser(app, address="127.0.0.1")
    before = samples(browser)
    assert before["inventory_outbox_waiting"] == 2
    assert before["inventory_outbox_oldest_age_seconds"] >= 0

    get_relay(app).start()
    eventually("both were tried", lambda: len(listener.attempts) == 2)
    elsewhere.sessions.write(
        lambda session: session.execute(update(OUTBOX).values(attempts=MAX_UNKNOWN_ATTEMPTS, event="unknown"))
    )
    make_due(elsewhere)
    eventually("the other one is a dead letter", lambda: outbox_status(elsewhere).dead_letters == 1)
    eventually("the failures are counted", lambda: samples(browser)["inventory_outbox_failed_total"] == 2)
    get_relay(app).stop()
    after = samples(browser)

    assert after["inventory_outbox_waiting"] == 0
    assert after["inventory_outbox_dead_letters"] == 1
    assert after["inventory_outbox_delivered_total"] == 1


def test_outbox_relay_of_the_library_is_a_context_manager(elsewhere: Inventory, listener: Listener) -> None:
    host = Inventory(elsewhere.sessions, build_plugin_manager([listener]))
    with OutboxRelay(host, poll_seconds=0.05) as relay:
        create_product(elsewhere, "A-1", quantity=5)
        eventually("the event is delivered", lambda: listener.codes == ["A-1"])
    assert not relay.is_running


def samples(browser: Browser) -> dict[str, float]:
    lines = (line.split() for line in browser.get("/metrics").text.splitlines() if not line.startswith("#"))
    return {fields[0]: float(fields[1]) for fields in lines if len(fields) == 2}
