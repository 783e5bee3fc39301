"""The Compose overlay for HTTPS."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.stack.system import COMPOSE_FILE, TLS_OVERLAY, System, eventually

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def container(system: System) -> Iterator[str]:
    """A second balancer, with the overlay, that answers."""
    files = ("-f", str(COMPOSE_FILE), "-f", str(TLS_OVERLAY))
    ports = ("--publish", "127.0.0.1:0:443", "--publish", "127.0.0.1:0:80")
    name = system.compose(*files, "run", "--detach", "--no-deps", *ports, "nginx").stdout.split()[-1]
    try:
        eventually("an instance answers", lambda: answers(system, name))
        yield name
    finally:
        system.run("docker", "rm", "--force", name)


def port(system: System, container: str, inside: int) -> int:
    return int(system.run("docker", "port", container, str(inside)).stdout.split(":")[-1])


def connect(system: System, container: str) -> http.client.HTTPSConnection:
    trusting = ssl.create_default_context(cafile=system.secrets / "tls_certificate")
    trusting.check_hostname = False
    return http.client.HTTPSConnection("127.0.0.1", port(system, container, 443), context=trusting, timeout=20)


def answers(system: System, container: str) -> bool:
    with suppress(OSError):
        return page(system, container)[0] == 200
    return False


def page(system: System, container: str) -> tuple[int, str]:
    connection = connect(system, container)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status, answer.read().decode().strip()
    finally:
        connection.close()


def test_pages_come_over_https_with_the_certificate_that_was_made(system: System, container: str) -> None:
    assert page(system, container)[1] in {"web1", "web2", "web3"}


def test_over_http_people_are_sent_to_https(system: System, container: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port(system, container, 80), timeout=20)
    connection.request("GET", "/inventory?search=x", headers={"Host": "inventory.test"})
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert (answer.status, answer.headers["Location"]) == (308, "https://inventory.test/inventory?search=x")


def test_pages_of_the_balancer_carry_hsts_over_https(system: System, container: str) -> None:
    connection = connect(system, container)
    connection.request("POST", "/login", b"x" * 1_100_000)
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert (answer.status, answer.headers["Strict-Transport-Security"]) == (413, "max-age=31536000")
