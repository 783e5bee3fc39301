"""Many idle or slow connections do not stop ordinary requests."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.stack.system import System, eventually
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack
HALF_OPEN = 2500
SLOW_UPLOADS = 20
REQUESTS_OF_ADDRESS = 100
REQUESTS = 300
HALF_A_REQUEST = b"GET /inventory HTTP/1.1\r\nHost: inventory.test\r\n"


@contextmanager
def half_open(address: tuple[str, int], count: int) -> Iterator[None]:
    """Keep connections that never finish their request."""
    over = threading.Event()
    held: list[socket.socket] = []

    def hold() -> None:
        while not over.is_set():
            for place in range(count):
                if place >= len(held) or _is_closed(held[place]):
                    for closed in held[place : place + 1]:
                        closed.close()
                    connection = socket.create_connection(address, timeout=10)
                    connection.sendall(HALF_A_REQUEST)
                    connection.setblocking(False)
                    held[place : place + 1] = [connection]
            over.wait(0.5)

    attacker = threading.Thread(target=hold)
    attacker.start()
    try:
        eventually("all are open", lambda: len(held) == count)
        yield
    finally:
        over.set()
        attacker.join()
        for connection in held:
            connection.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def slow_uploads(visitor: Visitor, count: int) -> Iterator[list[socket.socket]]:
    """Begin uploads of 30 MB and send no more than their beginning."""
    body, kind = visitor.form_with_file("slow.csv", b"code,name\n")
    head = (
        f"POST /imports/new HTTP/1.1\r\nHost: {visitor.host}:{visitor.port}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: 30000000\r\nCookie: {visitor.cookie_header()['Cookie']}\r\n\r\n"
    )
    with ExitStack() as opened:
        uploads = [
            opened.enter_context(socket.create_connection((visitor.host, visitor.port), timeout=10))
            for _ in range(count)
        ]
        for upload in uploads:
            upload.sendall(head.encode() + body)
        yield uploads


def test_half_open_connections_and_slow_uploads_leave_99_of_100_requests_answered(admin: Visitor) -> None:
    reader = Visitor(admin.host, admin.port, dict(admin.cookies))
    with half_open((admin.host, admin.port), HALF_OPEN), slow_uploads(admin, SLOW_UPLOADS):
        statuses = [reader.get("/inventory?search=X").status for _ in range(REQUESTS)]

    assert statuses.count(200) >= 0.99 * REQUESTS


@pytest.mark.usefixtures("unspent_limits")
def test_uploads_of_one_address_are_limited_and_say_so(system: System, admin: Visitor) -> None:
    with slow_uploads(admin, 6) as uploads:
        refused = [upload for upload in uploads if _answers(upload)]
        heads = [upload.recv(400) for upload in refused]

    assert len(refused) == 2
    assert all(head.startswith(b"HTTP/1.1 429 ") for head in heads)
    assert system.visitor().get("/login").status == 200


@contextmanager
def unfinished_changes(visitor: Visitor, count: int) -> Iterator[list[socket.socket]]:
    """Begin changes whose bodies never come."""
    head = f"POST /products/X/quantity HTTP/1.1\r\nHost: {visitor.host}:{visitor.port}\r\nContent-Length: 1000\r\n\r\n"
    with ExitStack() as opened:
        connections = [
            opened.enter_context(socket.create_connection((visitor.host, visitor.port), timeout=10))
            for _ in range(count)
        ]
        for connection in connections:
            connection.sendall(head.encode())
        yield connections


def test_requests_of_one_address_at_a_time_are_limited_and_say_so(system: System) -> None:
    with unfinished_changes(system.visitor(), REQUESTS_OF_ADDRESS + 5) as connections:
        eventually("five are refused", lambda: len(_answered(connections)) >= 5)
        heads = [connection.recv(400) for connection in _answered(connections)]

    assert len(heads) == 5
    assert all(head.startswith(b"HTTP/1.1 429 ") for head in heads)
    eventually("others are served again", lambda: system.visitor().get("/login").status == 200)


def _answers(upload: socket.socket) -> bool:
    upload.settimeout(3)
    try:
        return upload.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return False


def _answered(connections: list[socket.socket]) -> list[socket.socket]:
    """Return the connections with an answer, after a moment in which further ones may come."""
    time.sleep(0.5)
    return select.select(connections, [], [], 0)[0]
