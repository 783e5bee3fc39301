"""A browser whose change is in doubt, or lost with its source: it gets an answer, and is never locked out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.orm import Session
from typing_extensions import override
from werkzeug.test import TestResponse

from inventory_core.stock import idempotency
from inventory_web import Settings, create_app
from inventory_web.context import EXTENSION
from inventory_web.db import bootstrap
from inventory_web.db.replicas import ReplicatedDatabase
from inventory_web.jobs import runner
from tests.instances.test_instances import code, register
from tests.replication.mysql.fault_proxy import HEALTHY, Fault, FaultProxy
from tests.replication.mysql.servers import ReplicaSet, attach, eventually
from tests.replication.runtime.test_failover import NOWHERE, promote, source_again
from tests.web.browser import PASSWORD, Browser
from tests.web.http.test_form_resubmission import OURS, fields_of

pytestmark = pytest.mark.mysql
T = TypeVar("T")
ANSWER_CUT = {"to_client": Fault(after_bytes=0)}
COMMIT_CUT = {"to_server": Fault(after_bytes=0)}


class BreakingDatabase(ReplicatedDatabase):
    """Breaks the connection in the next COMMIT after `arm`; the write after that finds it healthy again, if it ``heals``."""

    proxy: FaultProxy
    fault: dict[str, Fault] | None = None
    heals = True

    @override
    def write(self, work: Callable[[Session], T]) -> T:
        fault, self.fault = self.fault, None

        def breaking(session: Session) -> T:
            result = work(session)
            if fault is not None:
                self.proxy.to_client = fault.get("to_client", HEALTHY)
                self.proxy.to_server = fault.get("to_server", HEALTHY)
            return result

        if fault is None and self.heals:
            self.heal()
        return super().write(breaking)

    def heal(self) -> None:
        self.proxy.to_client = self.proxy.to_server = HEALTHY


def through(settings: Settings, proxy: FaultProxy, replicas: int = 2) -> Settings:
    """The settings of an instance that reaches the source through the proxy."""
    url = make_url(settings.database_url.get_secret_value()).set(port=proxy.port)
    address = SecretStr(url.render_as_string(hide_password=False))
    return settings.model_copy(update={"database_url": address, "replica_urls": settings.replica_urls[:replicas]})


@pytest.fixture
def proxy(servers: ReplicaSet) -> Iterator[FaultProxy]:
    with FaultProxy(servers.source.address) as made:
        yield made


@pytest.fixture
def database(settings: Settings, proxy: FaultProxy) -> Iterator[BreakingDatabase]:
    changed = through(settings, proxy)
    opened = bootstrap.open_sessions(changed)
    assert isinstance(opened, ReplicatedDatabase)
    made = BreakingDatabase(opened.cluster, bootstrap.database_url(changed))
    made.proxy = proxy
    yield made
    made.heal()
    made.close()


@pytest.fixture
def app(settings: Settings, database: BreakingDatabase) -> Iterator[Flask]:
    made = create_app(settings, sessions=database)
    yield made
    made.extensions[runner.EXTENSION].stop()


def database_of(app: Flask) -> ReplicatedDatabase:
    sessions = app.extensions[EXTENSION].inventory.sessions
    assert isinstance(sessions, ReplicatedDatabase)
    return sessions


def change(browser: Browser, product: str, operation: str) -> dict[str, str]:
    browser.get(f"/products/{product}")
    return {"delta": "2", "expected": "5", "operation": operation}


@pytest.mark.parametrize("fault", [ANSWER_CUT, COMMIT_CUT], ids=["stored", "not stored"])
def test_a_change_whose_commit_is_in_doubt_is_answered_as_any_other(
    app: Flask, database: BreakingDatabase, fault: dict[str, Fault]
) -> None:
    browser, product = Browser(app).let_in("olga"), code()
    register(browser, product)
    form = change(browser, product, f"op-{product}")
    database.fault = fault
    answer = browser.send(f"/products/{product}/quantity", form, headers=OURS)

    assert answer.status_code == 303, answer.text
    shown = browser.get(f"/products/{product}")
    assert shown.status_code == 200
    assert 'value="7"' in shown.text or ">7<" in shown.text


def test_a_change_that_stays_in_doubt_is_not_503_and_is_done_once_when_it_is_sent_again(
    app: Flask, database: BreakingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "RESOLUTION_TIMEOUT_SECONDS", 0.3)
    browser, product = Browser(app).let_in("olga"), code()
    register(browser, product)
    form = change(browser, product, f"op-{product}")
    database.heals, database.fault = False, ANSWER_CUT
    answer = browser.send(f"/products/{product}/quantity", form, headers=OURS)
    database.heal()

    assert (answer.status_code, answer.headers["X-Changed"]) == (504, "unknown")
    assert "Retry-After" not in answer.headers
    kept = fields_of(answer.text)
    assert kept["operation"] == form["operation"]
    eventually("the source is back", lambda: browser.get("/inventory").status_code == 200)
    eventually("it is sent", lambda: browser.send(f"/products/{product}/quantity", kept).status_code == 303)
    shown = browser.get(f"/products/{product}").text
    assert 'value="7"' in shown or ">7<" in shown


@pytest.mark.parametrize("first", ["page", "login"])
def test_a_lost_write_is_reported_once_and_locks_no_one_out(
    make_app: Callable[..., Flask],
    settings: Settings,
    servers: ReplicaSet,
    proxy: FaultProxy,
    ca_file: Path,  # noqa: ARG001 - the servers' certificates stay until the end
    first: str,
) -> None:
    with ExitStack() as stack:
        stack.enter_context(source_again(servers))
        changed = through(settings, proxy, replicas=1)
        app = make_app(database_url=changed.database_url, replica_urls=changed.replica_urls)
        browser, lost = Browser(app).let_in("olga"), code()
        servers.catch_up()
        for replica in servers.replicas:
            replica.query("STOP REPLICA IO_THREAD")
        register(browser, lost)
        proxy.upstream = NOWHERE
        proxy.cut()
        promote(servers.replica1)
        attach(servers.replica2, "replica1")
        cluster = database_of(app).cluster
        # Before that the stalled replica looks the same, a source alone, and a reader of the change waits for it.
        eventually("it is the source", lambda: cluster.status().epoch == 2)

        def ask() -> TestResponse:
            if first == "login":
                return browser.post("/login", username="olga", password=PASSWORD)
            return browser.get("/inventory")

        answers = [ask(), ask()]

        assert [answer.status_code for answer in answers] == [409, 303 if first == "login" else 200]
        assert "REP-007" in answers[0].text
        assert lost not in answers[-1].text
