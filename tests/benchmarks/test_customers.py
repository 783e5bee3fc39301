"""The statistics of requests."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from benchmarks.stack.customers import Customer, Seen, crowd
from tests.stack.visitor import Visitor


def test_the_longest_gap_counts_from_the_beginning_and_to_the_end() -> None:
    assert Seen(ends=[11.0, 12.0], began=10.0, ended=12.5).longest_gap == 1.0
    assert Seen(ends=[14.0, 13.0], began=10.0, ended=14.5).longest_gap == 3.0
    assert Seen(ends=[], began=10.0, ended=14.0).longest_gap == 4.0


def test_throughput_is_of_good_answers() -> None:
    assert Seen(ends=[1.0, 2.0, 3.0], began=0.0, ended=6.0).throughput == 0.5


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"<html></html>"
        self.send_response(503 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
        """Tests are quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield site.server_port
        site.shutdown()
        thread.join()


def test_a_crowd_sends_requests_until_its_time_is_over_and_reports_every_status(port: int) -> None:
    customers = [Customer(Visitor("127.0.0.1", port)) for _ in range(2)]
    seen = crowd(customers, lambda customer, number: customer.get("/broken" if number % 2 else "/"), 0.2)

    assert set(seen.statuses) == {200, 503}
    assert seen.statuses[200] == len(seen.ends) == len(seen.seconds)
    assert seen.began < min(seen.ends) <= max(seen.ends) <= seen.ended


def test_no_response_is_status_0() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Site) as closed:
        port = closed.server_port

    assert Customer(Visitor("127.0.0.1", port)).get("/") == 0
