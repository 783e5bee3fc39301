"""The balancer: weights, lost instances, headers and rate limits."""

import gzip
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack.system import TLS_OVERLAY, System, eventually
from tests.stack.visitor import Answer, Visitor

pytestmark = pytest.mark.stack
NGINX_TEST = ("nginx", "-t", "-c", "/etc/nginx/inventory/nginx.conf")
HARDENED = (
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "X-Request-ID",
    "Cache-Control",
)


def all_answer(system: System) -> bool:
    visitor = system.visitor()
    return {visitor.instance() for _ in range(12)} == {"web1", "web2", "web3"}


def test_turns_are_3_to_2_to_1_exactly_whichever_worker_takes_a_request(system: System) -> None:
    # From a fresh start: whoever was lost before has turns to make up for.
    eventually("every instance is there", lambda: all_answer(system))
    system.compose("restart", "nginx")
    system.wait_for_balancer()
    visitor = system.visitor()
    with ThreadPoolExecutor(8) as crowd:
        turns = Counter(crowd.map(lambda _: visitor.instance(), range(600)))
    workers = {line["worker"] for line in system.log("nginx")[-600:]}

    assert turns == {"web1": 300, "web2": 200, "web3": 100}
    assert len(workers) == 2


@pytest.mark.parametrize("overlay", [(), ("-f", str(TLS_OVERLAY))], ids=["http", "https"])
def test_the_shipped_configuration_is_accepted(system: System, overlay: tuple[str, ...]) -> None:
    base = ("-f", system.environment["COMPOSE_FILE"]) if overlay else ()
    reported = system.compose(*base, *overlay, "run", "--rm", "--no-deps", "nginx", *NGINX_TEST).stderr

    assert "test is successful" in reported
    assert "[warn]" not in reported


def test_no_page_fails_while_instances_are_killed_restarted_and_rolled(system: System, admin: Visitor) -> None:
    eventually("all three answer", lambda: all_answer(system))
    over = threading.Event()

    def read() -> Counter[int]:
        reader = Visitor(admin.host, admin.port, dict(admin.cookies))
        seen: Counter[int] = Counter()
        while not over.is_set():
            seen[reader.get("/inventory").status] += 1
        return seen

    with ThreadPoolExecutor(3) as crowd:
        readers = [crowd.submit(read) for _ in range(3)]
        try:
            system.compose("kill", "web1", "web2")
            time.sleep(2)
            system.compose("start", "web1", "web2")
            eventually("all three answer again", lambda: all_answer(system))
            for service in ("web1", "web2", "web3"):
                system.compose("restart", service)
                eventually("all three answer again", lambda: all_answer(system))
        finally:
            over.set()
    statuses = sum((reader.result() for reader in readers), Counter())

    assert set(statuses) == {200}
    assert statuses[200] > 50


def test_each_request_has_one_number_from_the_balancer_to_the_instance(system: System, admin: Visitor) -> None:
    answer = admin.get("/inventory", {"X-Request-ID": "chosen-by-the-visitor"})
    number = answer.header("X-Request-ID")
    eventually("the log has it", lambda: number in {line["request_id"] for line in system.log("nginx")})
    of_balancer = [line for line in system.log("nginx") if line["request_id"] == number]
    of_instance = [line for line in system.log(answer.header("X-Served-By")) if line.get("request_id") == number]

    assert len(number) == 32
    assert [(line["path"], line["status"], line["instance"]) for line in of_balancer] == [
        ("/inventory", 200, answer.header("X-Served-By"))
    ]
    assert [line["path"] for line in of_instance if line["event"] == "request"] == ["/inventory"]
    assert "time" in of_balancer[0]


def test_security_headers_come_once_from_the_application_and_from_the_balancer(admin: Visitor) -> None:
    page = admin.get("/inventory")
    too_large = admin.send("POST", "/login", b"x" * 1_100_000, {"Content-Type": "application/x-www-form-urlencoded"})

    assert too_large.status == 413
    for answer in (page, too_large):
        for name in HARDENED:
            assert answer.header(name), name
        assert answer.header("Server") == "nginx"
    assert "demasiado grande" in too_large.text


def test_headers_with_more_cookies_than_ours_are_served_and_far_too_many_are_answered_with_431(system: System) -> None:
    many, too_many = (system.visitor().get("/login", {"Cookie": f"other={'x' * size}"}) for size in (30_000, 40_000))

    assert many.status == 200
    assert too_many.status == 431
    assert "demasiadas cookies" in too_many.text
    assert too_many.header("Clear-Site-Data") == '"cookies"'


@pytest.mark.usefixtures("unspent_limits")
@pytest.mark.parametrize(("path", "burst"), [("/login", 40), ("/login/code", 20)])
def test_login_attempts_are_limited_by_the_balancer_and_viewing_is_not(system: System, path: str, burst: int) -> None:
    visitor = system.visitor()

    def attempt(_number: int) -> Answer:
        return Visitor(visitor.host, visitor.port).post(path, username="x", password="y", second_code="000000")

    began = time.monotonic()
    with ThreadPoolExecutor(8) as crowd:
        attempts = list(crowd.map(attempt, range(3 * burst)))
    seconds = time.monotonic() - began
    refused = [answer for answer in attempts if not answer.header("X-Served-By")]
    looks = [visitor.get(path) for _ in range(burst + 20)]

    assert 1 + burst <= len(attempts) - len(refused) <= 2 + burst + seconds
    for answer in refused:
        assert (answer.status, answer.header("Retry-After")) == (429, "5")
        assert "Desde su red se han enviado demasiadas peticiones" in answer.text
    assert {answer.status for answer in looks} <= {200, 302}
    assert all(answer.header("X-Served-By") for answer in looks)


def test_a_file_of_the_browser_is_kept_by_the_balancer_under_the_address_of_its_content(
    system: System, admin: Visitor
) -> None:
    page = admin.get("/inventory").text
    address = next(word for word in page.split('"') if word.startswith("/assets/") and word.endswith(".css"))
    first, second = (admin.get(address, {"Accept-Encoding": "gzip"}) for _ in range(2))
    plain = admin.get(address)
    wrong = admin.get(address.replace(address.split("/")[2], "0" * 16))

    eventually(
        "the log tells of the kept file",
        lambda: "HIT" in [line["cache"] for line in system.log("nginx") if line["path"] == address],
    )
    assert "immutable" in second.header("Cache-Control")
    assert second.header("Content-Encoding") == "gzip"
    assert first.body == second.body
    assert plain.header("Content-Encoding") == ""
    assert plain.body == gzip.decompress(first.body)
    assert first.header("X-Request-ID") != second.header("X-Request-ID")
    assert wrong.header("Cache-Control") == "no-cache"


def test_counters_are_not_for_the_world(system: System) -> None:
    reported = system.compose("exec", "-T", "web2", "python", "-c", READ_METRICS).stdout

    assert system.visitor().get("/metrics").status == 403
    assert "inventory_requests_total" in reported


READ_METRICS = (
    "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/metrics', timeout=5).read().decode())"
)
