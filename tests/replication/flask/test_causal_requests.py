"""Browsers and programs between two instances of one Flask application, over the real servers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from inventory_replication import MonitorPolicy, ReplicatedCluster, RoutingPolicy
from inventory_replication.integrations.flask import MAX_TOKENS
from tests.replication.flask.instances import instance
from tests.replication.mysql.fault_proxy import HEALTHY, Fault, FaultProxy
from tests.replication.mysql.servers import ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, placed, put

pytestmark = pytest.mark.mysql
IMPATIENT = RoutingPolicy(staleness_bound=60.0, last_resort_bound=None, causal_wait_timeout=0.05)


@pytest.fixture
def pair(cluster_for: ClusterFor, table: str) -> tuple[Flask, Flask]:
    """Two instances that know nothing of one another; their readers hardly wait for a replica."""
    one, other = (instance(cluster_for(routing=IMPATIENT), table) for _ in range(2))
    # A replica that stalls before it was ever seen to follow would never be read from.
    eventually("a replica serves", lambda: role_of(one.test_client().get("/")) == "replica")
    eventually("a replica serves", lambda: role_of(other.test_client().get("/")) == "replica")
    return one, other


@contextmanager
def behind(servers: ReplicaSet) -> Iterator[None]:
    """Both replicas stand still."""
    with ExitStack() as stack:
        for replica in servers.replicas:
            replica.query("STOP REPLICA SQL_THREAD")
            stack.callback(replica.query, "START REPLICA SQL_THREAD")
        yield


def moved(browser: FlaskClient, other: Flask) -> FlaskClient:
    """The same browser, whose next request another instance answers."""
    client = other.test_client()
    for cookie in _cookies(browser):
        client.set_cookie(cookie[0], cookie[1])
    return client


def role_of(answer: TestResponse) -> str:
    """Which server a reader was on."""
    assert answer.json is not None
    return str(answer.json["role"])


def _cookies(browser: FlaskClient) -> list[tuple[str, str]]:
    header = browser.get("/nothing").request.headers.get("Cookie", "")
    return [(name, value) for name, _, value in (pair.partition("=") for pair in header.split("; ") if pair)]


def test_a_browser_sees_its_own_write_on_another_instance_while_no_replica_has_it(
    servers: ReplicaSet, pair: tuple[Flask, Flask]
) -> None:
    one, other = pair
    browser = one.test_client()
    with behind(servers):
        browser.post("/1")

        assert moved(browser, other).get("/").json == {"numbers": [1], "role": "source"}
        assert other.test_client().get("/").json == {"numbers": [], "role": "replica"}


def test_the_cookie_stays_below_the_prefix_of_the_application(servers: ReplicaSet, pair: tuple[Flask, Flask]) -> None:
    browser = pair[0].test_client()
    with behind(servers):
        sent = browser.post("/1", base_url="http://localhost/stock").headers.getlist("Set-Cookie")
        seen = browser.get("/", base_url="http://localhost/stock").json

    assert sent
    assert all("; Path=/stock" in cookie for cookie in sent)
    assert seen == {"numbers": [1], "role": "source"}


def test_a_program_carries_the_token_in_a_header(servers: ReplicaSet, pair: tuple[Flask, Flask]) -> None:
    one, other = pair
    with behind(servers):
        token = one.test_client(use_cookies=False).post("/1").headers["X-Causal-Token"]
        answer = other.test_client(use_cookies=False).get("/", headers={"X-Causal-Token": token})

    assert answer.json == {"numbers": [1], "role": "source"}
    assert "Set-Cookie" not in answer.headers


def test_a_program_may_send_the_tokens_of_several_answers(servers: ReplicaSet, pair: tuple[Flask, Flask]) -> None:
    one, other = pair
    with behind(servers):
        tokens = [one.test_client(use_cookies=False).post(f"/{n}").headers["X-Causal-Token"] for n in (1, 2)]
        answer = other.test_client(use_cookies=False).get("/", headers={"X-Causal-Token": ", ".join(tokens)})

    assert answer.json == {"numbers": [1, 2], "role": "source"}


def test_two_writes_of_one_browser_whose_answers_cross_are_both_seen(
    servers: ReplicaSet, pair: tuple[Flask, Flask]
) -> None:
    one, other = pair
    with behind(servers):
        browser = one.test_client()
        left, right = moved(browser, one), moved(browser, other)
        left.post("/1")
        right.post("/2")
        for cookie in (*_cookies(left), *_cookies(right)):
            browser.set_cookie(*cookie)
        shown = browser.get("/").json

    assert shown == {"numbers": [1, 2], "role": "source"}
    assert len(_cookies(browser)) == 1


def test_an_answer_takes_away_only_cookies_that_its_request_has_brought(
    servers: ReplicaSet, pair: tuple[Flask, Flask]
) -> None:
    one, _ = pair
    with behind(servers):
        browser = one.test_client()
        browser.post("/1")
        early = moved(browser, one)
        browser.post("/2")
    servers.catch_up()
    cookies = early.get("/").headers.getlist("Set-Cookie")

    later = {name for name, _ in _cookies(browser)}
    assert not any(cookie.startswith(tuple(later)) for cookie in cookies)


def test_the_cookie_goes_once_all_replicas_have_the_write(
    servers: ReplicaSet, cluster_for: ClusterFor, table: str
) -> None:
    browser = instance(cluster_for(monitor=MonitorPolicy(poll_interval=0.02)), table).test_client()
    browser.post("/1")
    servers.catch_up()

    def gone() -> bool:
        browser.get("/")
        return not _cookies(browser)

    eventually("the cookie goes", gone)


def test_a_streamed_answer_keeps_the_token_until_its_last_byte(servers: ReplicaSet, pair: tuple[Flask, Flask]) -> None:
    one, other = pair
    browser = one.test_client()
    with behind(servers):
        browser.post("/1")

        assert moved(browser, other).get("/stream").text == "1\n"


@pytest.mark.parametrize("token", ["x", "c1.k1.e30.AAAA", "' OR 1=1; --", "a" * 1_000_000, "c1.k1.x.y, " * 1000])
def test_a_token_that_is_not_ours_reads_from_the_source(pair: tuple[Flask, Flask], token: str) -> None:
    answer = pair[0].test_client().get("/", headers={"X-Causal-Token": token})

    assert answer.status_code == 200
    assert role_of(answer) == "source"


def test_more_tokens_than_are_read_send_the_reader_to_the_source(pair: tuple[Flask, Flask]) -> None:
    browser = pair[0].test_client()
    for number in range(MAX_TOKENS + 1):
        browser.set_cookie(f"causal_{number:08x}", "c1.k1.x.y")

    assert browser.get("/").json == {"numbers": [], "role": "source"}


def test_a_view_may_ask_for_the_source(pair: tuple[Flask, Flask]) -> None:
    assert pair[0].test_client().get("/exact").json == {"numbers": [], "role": "source"}


def test_a_view_may_accept_an_older_state_than_the_policy_does(
    servers: ReplicaSet, cluster_for: ClusterFor, table: str
) -> None:
    strict = RoutingPolicy(staleness_bound=0.1, last_resort_bound=0.1, min_serving_replicas=0)
    cluster = cluster_for(routing=strict)
    browser = instance(cluster, table).test_client()
    eventually("a replica serves", lambda: role_of(browser.get("/")) == "replica")
    with behind(servers):
        cluster.write(put(table, 7))
        eventually("the replicas are too old", lambda: role_of(browser.get("/")) == "source")

        assert browser.get("/loose").json == {"numbers": [], "role": "replica"}


def test_a_read_from_a_replica_reports_its_staleness(pair: tuple[Flask, Flask]) -> None:
    answer = pair[0].test_client().get("/")

    assert role_of(answer) == "replica"
    assert float(answer.headers["X-Staleness-Seconds"]) >= 0


def test_a_request_without_database_gets_no_cookie(pair: tuple[Flask, Flask]) -> None:
    browser = pair[0].test_client()
    browser.post("/1")

    assert "Set-Cookie" not in browser.get("/nothing").headers


def test_a_write_without_a_source_answers_503_and_when_to_come_back(
    servers: ReplicaSet, cluster_for: ClusterFor, table: str
) -> None:
    browser = instance(cluster_for(), table).test_client()
    servers.source.query("SET GLOBAL super_read_only = ON")
    try:
        answer = browser.post("/1")
    finally:
        servers.source.query("SET GLOBAL super_read_only = OFF, read_only = OFF")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "REP-002" in answer.text


def test_the_decorators_need_the_extension(cluster: ReplicatedCluster[Session], table: str) -> None:
    app = instance(cluster, table)
    bare = Flask("bare")
    bare.add_url_rule("/", "exact", app.view_functions["exact"])
    bare.testing = True

    with pytest.raises(RuntimeError, match="CausalRequests"):
        bare.test_client().get("/")


def test_cookies_of_two_users_who_alternate_stay_small_while_no_replica_follows(
    servers: ReplicaSet, pair: tuple[Flask, Flask]
) -> None:
    browsers = [app.test_client() for app in pair]
    with behind(servers):
        for number in range(200):
            assert browsers[number % 2].post(f"/{number}").status_code == 200
            for browser in browsers:
                header = "; ".join("=".join(cookie) for cookie in _cookies(browser))
                # One interval, and what the last round of the monitor has not seen yet; the fragments alone need 600.
                assert len(header) <= 512
        shown = [browser.get("/").json for browser in browsers]

    for each in shown:
        assert each is not None
        assert each["numbers"] == list(range(200))


def test_parallel_writes_of_one_browser_leave_one_cookie(servers: ReplicaSet, pair: tuple[Flask, Flask]) -> None:
    one, other = pair
    browser = one.test_client()
    browser.set_cookie("session", "of this browser")
    with behind(servers):
        parallel = [moved(browser, one) for _ in range(6)]
        answers = [each.post(f"/{number}") for number, each in enumerate(parallel)]
        for answer in answers:
            _receive(browser, answer)
        assert len(_tokens(browser)) == 1

        late = one.test_client()
        late.set_cookie("session", "of this browser")
        for answer in reversed(answers):
            _receive(late, answer)
        for each in (browser, late):
            assert moved(each, other).get("/").json == {"numbers": list(range(6)), "role": "source"}


def test_cookies_that_are_too_many_are_taken_away_by_any_answer(pair: tuple[Flask, Flask]) -> None:
    browser = pair[0].test_client()
    for number in range(40):
        browser.set_cookie(f"causal_{number:08x}", "c1.k1.x.y" * 20)
    for _ in range(3):
        browser.get("/nothing")

    assert len(_tokens(browser)) == 1
    assert role_of(browser.get("/")) == "source"


def test_a_write_in_a_streamed_answer_is_refused(pair: tuple[Flask, Flask]) -> None:
    browser = pair[0].test_client()

    assert browser.get("/late/1").text == "REP-016"
    assert browser.get("/exact").json == {"numbers": [], "role": "source"}


def test_an_error_after_a_write_of_the_same_request_is_not_answered_503(pair: tuple[Flask, Flask]) -> None:
    answer = pair[0].test_client().post("/twice/1")

    assert answer.status_code == 500
    assert answer.headers["X-Changed"] == "yes"
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize(
    "fault", [{"to_client": Fault(after_bytes=0)}, {"to_server": Fault(after_bytes=0)}], ids=["stored", "not stored"]
)
def test_an_unknown_commit_is_answered_504_without_an_invitation_to_repeat(
    servers: ReplicaSet, cluster_for: ClusterFor, table: str, proxy: FaultProxy, fault: dict[str, Fault]
) -> None:
    cluster = cluster_for(servers=placed(servers, source=proxy))
    app = instance(cluster, table)

    @app.post("/unsure")
    def unsure() -> str:
        def work(session: Session) -> None:
            put(table, 2)(session)
            proxy.to_client, proxy.to_server = fault.get("to_client", HEALTHY), fault.get("to_server", HEALTHY)

        cluster.write(work)
        return "stored"

    browser = app.test_client()
    assert browser.post("/1").status_code == 200
    answer = browser.post("/unsure")
    proxy.to_client = proxy.to_server = HEALTHY

    assert answer.status_code == 504
    assert answer.headers["X-Changed"] == "unknown"
    assert "Retry-After" not in answer.headers
    assert "REP-006" in answer.text
    # Whatever became of it: the next page is read where it can be seen.
    shown = [1, 2] if "to_client" in fault else [1]
    eventually("the source is back", lambda: browser.get("/").json == {"numbers": shown, "role": "source"})


def _receive(browser: FlaskClient, answer: TestResponse) -> None:
    """Take over the cookies of an answer, as the browser that sent several requests at once does."""
    for header in answer.headers.getlist("Set-Cookie"):
        name, _, value = header.partition(";")[0].partition("=")
        if value:
            browser.set_cookie(name, value)
        else:
            browser.delete_cookie(name)


def _tokens(browser: FlaskClient) -> list[str]:
    return [name for name, _ in _cookies(browser) if name.startswith("causal_")]
