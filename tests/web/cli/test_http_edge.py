"""What clients send past any browser, over raw sockets to the server that ``inventory serve`` starts."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PATIENCE = 60
HOST = b"Host: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
UPLOAD = (
    b"POST /imports/new HTTP/1.1\r\n" + HOST + b"Origin: http://localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 31457280\r\n\r\n--edge\r\nContent-Dis"
)
BAD_CHUNKS = {
    "a size that is no number": b"zz\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nabc\r\n0\r\n\r\n",
    "no end of the chunk": b"3\r\nabcXX0\r\n\r\n",
    "a bad trailer": b"3\r\na=b\r\n0\r\nX y\r\n\r\n",
    "an end in the middle": b"50\r\na=b",
}
ODD = {
    "an unknown method": b"BREW /login HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long method": b"A" * 300 + b" /login HTTP/1.1\r\n" + HOST + b"\r\n",
    "two hosts": b"GET /login HTTP/1.1\r\n" + HOST + b"Host: other\r\n\r\n",
    "no host": b"GET /login HTTP/1.1\r\n\r\n",
    "a host that is no name": b"GET /login HTTP/1.1\r\nHost: a b<>\r\n\r\n",
    "a host without its bracket": b"GET /inventory HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "bytes that are no text in a path": b"GET /\xff%fe%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "half a character in a path": b"GET /products/%ed%a0%80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes that are no text in a query": b"GET /inventory?search=%ff%fe%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a line end in a path": b"GET /products/a%0d%0aSet-Cookie:x=y HTTP/1.1\r\n" + HOST + b"\r\n",
    "a line end in a target": b"GET /login?next=/a%0d%0aSet-Cookie:x=y HTTP/1.1\r\n" + HOST + b"\r\n",
    "a huge header": b"GET /login HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n\r\n",
    "many headers": b"GET /login HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 150 + b"\r\n",
    "a cookie that is no text": b"GET /login HTTP/1.1\r\n" + HOST + b"Cookie: inventory_session=\xff; =;;\r\n\r\n",
    "a negative length": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a length that is no number": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: five\r\n\r\n",
    "a length beyond all numbers": b"POST /login HTTP/1.1\r\n"
    + HOST
    + FORM
    + b"Content-Length: 99999999999999999999\r\n\r\n",
    "two lengths": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello1",
    "length and chunks": b"POST /login HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: odd\r\n\r\n",
    "a range backwards": b"GET /assets/x/favicon.svg HTTP/1.1\r\n" + HOST + b"Range: bytes=10-0\r\n\r\n",
    "a thousand ranges": b"GET /assets/x/favicon.svg HTTP/1.1\r\n"
    + HOST
    + b"Range: bytes="
    + b"0-1," * 1000
    + b"\r\n\r\n",
    "an odd origin": b"POST /products/new HTTP/1.1\r\n"
    + HOST
    + FORM
    + b"Origin: http://[::1\r\nContent-Length: 3\r\n\r\na=b",
    "an odd referrer": b"POST /account/language HTTP/1.1\r\n"
    + HOST
    + FORM
    + b"Referer: http://[::1\r\nContent-Length: 3\r\n\r\na=b",
}


@pytest.fixture
def port(start: Callable[..., "subprocess.Popen[str]"], here: Path) -> Iterator[int]:
    assert here.exists()
    process = start("serve", "--port", "0")
    assert process.stdout is not None
    found = next(filter(None, (re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in process.stdout)))
    yield int(found[1])
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said
    assert '"event": "crash"' not in said


def answer_to(port: int, sent: bytes, *, ends: bool = False) -> bytes:
    """Send it and return the whole answer; ``ends`` says whether the client closes its side after that."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    assert found, answer[:200]
    return int(found[1])


def test_bad_chunks_are_a_bad_request_with_a_code(port: int) -> None:
    head = b"POST /login HTTP/1.1\r\n" + HOST + FORM + b"Accept: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = {name: answer_to(port, head + chunks, ends=True) for name, chunks in BAD_CHUNKS.items()}

    assert {name: status_of(answer) for name, answer in answers.items()} == dict.fromkeys(BAD_CHUNKS, 400)
    assert [name for name, answer in answers.items() if b"WEB-400" not in answer] == []


def test_odd_requests_end_without_a_fault_of_the_server(port: int) -> None:
    statuses = {name: status_of(answer_to(port, sent)) for name, sent in ODD.items()}

    assert {name: status for name, status in statuses.items() if status >= 500 and status != 501} == {}
    assert status_of(answer_to(port, b"GET /health/ready HTTP/1.1\r\n" + HOST + b"\r\n")) == 200


def test_slow_uploads_without_a_session_hold_no_one_up(port: int) -> None:
    with ExitStack() as open_until_the_end:
        slow = [open_until_the_end.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(20)]
        for connection in slow:
            connection.settimeout(PATIENCE)
            connection.sendall(UPLOAD)
        began = time.monotonic()
        assert status_of(answer_to(port, b"GET /login HTTP/1.1\r\n" + HOST + b"\r\n")) == 200
        took = time.monotonic() - began
        answers = [status_of(connection.recv(65536)) for connection in slow]

    assert answers == [401] * 20
    # Each thread waits for half a second for each of its clients to close; gunicorn would wait for two, one after the other.
    assert took < 15
