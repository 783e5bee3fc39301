"""People between two instances of the web, over real servers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask

from inventory_web import Settings
from inventory_web.db.bootstrap import open_server
from inventory_web.jobs import runner
from tests.instances.conftest import Behind
from tests.replication.mysql.servers import MySQLServer, ReplicaSet, eventually
from tests.web.browser import Browser

pytestmark = pytest.mark.mysql
Instances = tuple[Flask, Flask]


@pytest.fixture
def instances(make_app: Callable[..., Flask]) -> Instances:
    """Two instances whose monitors have seen every replica follow."""
    one, other = make_app(instance="one"), make_app(instance="other")
    for app in (one, other):
        client = app.test_client()
        eventually("the set is whole", lambda client=client: mode(client) == ("normal", 2))  # type: ignore[misc]
    return one, other


def mode(client: object) -> tuple[str, int]:
    database = client.get("/health", headers={"Accept": "application/json"}).json["database"]  # type: ignore[attr-defined]
    return database["mode"], sum(replica["state"] == "replica" for replica in database["replicas"])


def at(browser: Browser, app: Flask) -> Browser:
    """The same person, whose next request this instance answers."""
    moved = Browser(app)
    moved.token = browser.token
    sent = browser.client.get("/health/live").request.headers.get("Cookie", "")
    for name, _, value in (part.partition("=") for part in sent.split("; ")):
        moved.client.set_cookie(name, value)
    return moved


def without_tokens(browser: Browser) -> Browser:
    """The same person, whose browser kept nothing of what was written."""
    sent = browser.client.get("/health/live").request.headers.get("Cookie", "")
    for name in [part.partition("=")[0] for part in sent.split("; ")]:
        if name.startswith("causal_"):
            browser.client.delete_cookie(name)
    return browser


@contextmanager
def delayed(replica: MySQLServer, seconds: int) -> Iterator[None]:
    """Let a replica follow so far behind, within what pages accept."""
    change = "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {}"
    for delay in (seconds, 0):
        replica.query("STOP REPLICA SQL_THREAD")
        replica.query(change.format(delay))
        replica.query("START REPLICA SQL_THREAD")
        if delay:
            yield


def register(browser: Browser, code: str, quantity: int = 5) -> None:
    browser.get("/products/new")
    answer = browser.post(
        "/products/new", code=code, name=f"Producto {code}", quantity=str(quantity), minimum="0", operation=uuid4().hex
    )
    assert answer.status_code == 303, answer.text


def code() -> str:
    return f"P-{uuid4().hex[:8]}"


def test_a_person_sees_the_own_product_on_another_instance_while_no_replica_has_it(
    instances: Instances, behind: Behind
) -> None:
    one, other = instances
    browser, new = Browser(one).logged_in("olga"), code()
    with behind():
        register(browser, new)
        answer = at(browser, other).get(f"/products/{new}")

    assert answer.status_code == 200
    assert new in answer.text


def test_a_login_counts_at_once_on_another_instance(instances: Instances, behind: Behind) -> None:
    one, other = instances
    with behind():
        browser = Browser(one).logged_in("olga")

        assert at(browser, other).get("/inventory").status_code == 200


def test_a_replica_that_is_behind_throws_no_one_out(instances: Instances, behind: Behind) -> None:
    one, other = instances
    with behind():
        browser = without_tokens(at(Browser(one).logged_in("olga"), other))

        assert browser.get("/inventory").status_code == 200


def test_reading_goes_to_the_replicas(instances: Instances, servers: ReplicaSet) -> None:
    browser = Browser(instances[0]).logged_in("olga")
    servers.catch_up()
    for _ in range(20):
        assert browser.get("/inventory").status_code == 200
    numbers = browser.client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    reads = [line for line in numbers.splitlines() if line.startswith("inventory_replication_units") and "read" in line]

    assert any('role="reader"' in line and "source" not in line for line in reads), numbers


def test_while_the_source_is_gone_pages_are_served_and_changes_answer_503(
    instances: Instances, servers: ReplicaSet
) -> None:
    one, other = instances
    browser, new = Browser(one).logged_in("olga"), code()
    register(browser, new)
    page = browser.get(f"/products/{new}")
    assert page.status_code == 200
    servers.catch_up()
    with servers.source.frozen():
        eventually("the source is missed", lambda: mode(one.test_client())[0] == "read_only")
        shown = browser.get("/inventory")
        refused = browser.post(f"/products/{new}/quantity", delta="1", expected="5", operation=uuid4().hex)

    assert shown.status_code == 200
    assert "Solo lectura" in shown.text
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert "REP-002" in refused.text
    eventually("the source is back", lambda: mode(other.test_client())[0] == "normal")


def test_the_picture_of_the_system_shows_which_server_and_instance_served_the_page(
    instances: Instances, servers: ReplicaSet
) -> None:
    browser = Browser(instances[0]).logged_in("olga")
    servers.catch_up()
    page = browser.get("/system?seen=other~2").text
    with servers.source.frozen():
        eventually("the source is missed", lambda: mode(instances[0].test_client())[0] == "read_only")
        away = browser.get("/system").text
        edited = browser.get("/products/new").text

    assert "Todo funciona." in page
    assert ">one<" in page
    assert "Respondió hace 2 segundos" in page
    assert page.count("Atiende consultas") == 2
    assert page.count("Sí, esta página") >= 2
    assert "Guarda los cambios" in page
    assert "Solo lectura." in away
    assert "No responde" in away
    assert "form-waits" in edited
    eventually("the source is back", lambda: mode(instances[1].test_client())[0] == "normal")


def test_a_form_that_is_sent_again_on_another_instance_is_carried_out_once(instances: Instances) -> None:
    one, other = instances
    browser, new, operation = Browser(one).logged_in("olga"), code(), uuid4().hex
    register(browser, new)
    for app in (one, other):
        moved = at(browser, app)
        answer = moved.post(f"/products/{new}/quantity", delta="1", expected="5", operation=operation)
        assert answer.status_code == 303

    assert (
        '"quantity">6<' in browser.get(f"/products/{new}").text.replace("\n", "")
        or "6" in browser.get(f"/products/{new}").text
    )


def test_a_command_works_on_the_source_whichever_address_comes_first(settings: Settings, servers: ReplicaSet) -> None:
    turned = settings.model_copy(
        update={
            "database_url": type(settings.database_url)(settings.replica_urls[0]),
            "replica_urls": (settings.database_url.get_secret_value(), settings.replica_urls[1]),
        }
    )
    sessions = open_server(turned)
    port = sessions.engine.url.port
    sessions.close()

    assert port == servers.source.port


@pytest.mark.parametrize("token", ["x", "c1.k1.AAAA.BBBB", "'; DROP TABLE product; --", "a" * 4000])
def test_a_cookie_that_is_not_ours_harms_no_one(instances: Instances, token: str) -> None:
    browser = Browser(instances[0]).logged_in("olga")
    browser.client.set_cookie("causal_00000000", token)

    assert browser.get("/inventory").status_code == 200


def test_health_names_the_source_and_the_staleness_of_each_replica(instances: Instances) -> None:
    time.sleep(0.3)
    answer = instances[0].test_client().get("/health", headers={"Accept": "application/json"}).json

    assert answer is not None
    assert answer["status"] == "ok"
    assert answer["database"]["source"]["state"] == "up"
    assert all(replica["staleness_seconds"] < 60 for replica in answer["database"]["replicas"])


def test_health_hides_names_and_lag_of_servers_from_who_may_not_read_the_metrics(instances: Instances) -> None:
    requested = {"Accept": "application/json", "X-Forwarded-For": "203.0.113.5"}
    answer = instances[0].test_client().get("/health", headers=requested).json

    assert answer is not None
    assert answer["status"] == "ok"
    assert answer["database"]["mode"] == "normal"
    assert answer["database"]["source"] == {"name": "source", "state": "up"}
    assert answer["database"]["replicas"] == [
        {"name": f"replica {number}", "state": "replica", "staleness_seconds": None} for number in (1, 2)
    ]


def test_a_client_that_sees_a_finished_import_sees_its_products(
    instances: Instances, servers: ReplicaSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = instances
    monkeypatch.setattr(runner, "WAIT_TIMEOUT_SECONDS", 0)
    browser, new = Browser(one).logged_in("olga"), code()
    browser.get("/imports/new")
    file = (BytesIO(f"code,name,quantity\n{new},Traído,3\n".encode()), "some.csv")
    sent = {"csrf_token": browser.token, "file": file}
    page = browser.client.post("/imports/new", data=sent, environ_base={"REMOTE_ADDR": "192.0.2.1"}).location
    eventually("the preview is there", lambda: "/confirm" in browser.get(page).text)
    servers.catch_up()
    with delayed(servers.replicas[1], seconds=1):
        browser.post(f"{page}/confirm")
        colleague = without_tokens(at(browser, other))
        eventually("the import is done", lambda: "/undo" in colleague.get(page).text)
        exports = [colleague.get(f"/inventory/export.csv?search={new}").text for _ in range(20)]

    assert all(new in export for export in exports)


def test_a_ready_export_can_be_downloaded_from_any_instance(instances: Instances, servers: ReplicaSet) -> None:
    one, other = instances
    browser, new = Browser(one).logged_in("olga"), code()
    register(browser, new)
    servers.catch_up()
    with delayed(servers.replicas[1], seconds=1):
        page = browser.post(f"/exports?search={new}", format="csv").location
        there = without_tokens(at(browser, other))
        eventually("the export is ready", lambda: f"{page}/file" in there.get(page).text)
        files = [there.get(f"{page}/file") for _ in range(20)]
        # Somebody who was only given the address.
        pages = [without_tokens(at(browser, other)).get(page) for _ in range(20)]

    assert [answer.status_code for answer in (*files, *pages)] == [200] * 40
    assert all(new in file.text for file in files)


def test_while_the_source_is_gone_no_work_can_be_begun_and_a_prepared_file_can_still_be_fetched(
    instances: Instances, servers: ReplicaSet
) -> None:
    one, other = instances
    browser, new = Browser(one).logged_in("olga"), code()
    register(browser, new)
    page = browser.post(f"/exports?search={new}", format="csv").location
    eventually("the export is ready", lambda: f"{page}/file" in browser.get(page).text)
    servers.catch_up()
    with servers.source.frozen():
        eventually("the source is missed", lambda: mode(one.test_client())[0] == "read_only")
        begun = browser.post("/exports", format="csv")
        sent = {"csrf_token": browser.token, "file": (BytesIO(b"code,name\nA,B\n"), "some.csv")}
        uploaded = browser.client.post("/imports/new", data=sent, environ_base={"REMOTE_ADDR": "192.0.2.1"})
        fetched = browser.get(f"{page}/file")

    for refused in (begun, uploaded):
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
    assert (fetched.status_code, new in fetched.text) == (200, True)
    eventually("the source is back", lambda: mode(other.test_client())[0] == "normal")
