"""Customers of the balancer: each sends one request after the other on its own connection."""

import http.client
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise

from tests.stack.visitor import Visitor

BROWSER = {"Accept-Encoding": "gzip", "Accept": "text/html"}
ROW_ONLY = {"HX-Request": "true", "HX-Request-Type": "partial", "Content-Type": "application/x-www-form-urlencoded"}
TIMEOUT = 30.0
PAUSE = 0.02
GOOD = frozenset({200, 204, 303})


class Customer:
    """One customer.

    Args:
        visitor: A logged-in visitor who has opened a page with a form.
    """

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> int:
        """Read a whole page and return the status; 0 if there was no response."""
        return self._ask("GET", path, None, BROWSER)

    def add_one(self, code: str, operation: str) -> int:
        """Press the ``+`` of a row."""
        body = f"csrf_token={self.visitor.token}&operation={operation}&delta=1".encode()
        return self._ask("POST", f"/products/{code}/quantity", body, {**BROWSER, **ROW_ONLY})

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> int:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.visitor.host, self.visitor.port, timeout=TIMEOUT)
        try:
            self._connection.request(method, path, body, {**headers, **self.visitor.cookie_header()})
            return self.visitor.received(self._connection.getresponse()).status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0


Act = Callable[[Customer, int], int]
"""The n-th action of a customer; returns the status."""


@dataclass(slots=True)
class Seen:
    """The results of the requests.

    Args:
        seconds: The duration of each successful request, up to the last byte.
        ends: Monotonic end time of each of these, in ascending order.
        statuses: The number of responses by status; 0 is no response.
        began: Monotonic start time.
        ended: Monotonic end time.
    """

    seconds: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    began: float = 0.0
    ended: float = 0.0

    @property
    def throughput(self) -> float:
        """Return the successful responses per second."""
        return len(self.ends) / (self.ended - self.began)

    @property
    def longest_gap(self) -> float:
        """Return the gaps between successful responses, including the beginning and the end of the run."""
        moments = [self.began, *sorted(self.ends), self.ended]
        return max(later - earlier for earlier, later in pairwise(moments))


def crowd(customers: Sequence[Customer], act: Act, seconds: float) -> Seen:
    """Let all customers act without a pause for some seconds."""
    with acting(customers, act, pause=0.0) as seen:
        time.sleep(seconds)
    return seen


@contextmanager
def acting(customers: Sequence[Customer], act: Act, *, pause: float = PAUSE) -> Iterator[Seen]:
    """Let all customers act, with a pause after every response, while the block runs; the results are complete afterwards."""
    seen = Seen(began=time.monotonic())
    end = threading.Event()
    numbers = count()
    threads = [threading.Thread(target=_act, args=(each, act, numbers, pause, end, seen)) for each in customers]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        end.set()
        for thread in threads:
            thread.join()
        seen.ended = time.monotonic()
        for each in customers:
            each.close()


def new_operation() -> str:
    """Return a new operation id for a form."""
    return uuid.uuid4().hex


def _act(customer: Customer, act: Act, numbers: Iterator[int], pause: float, end: threading.Event, seen: Seen) -> None:
    while not end.wait(pause):
        began = time.monotonic()
        status = act(customer, next(numbers))
        ended = time.monotonic()
        seen.statuses[status] += 1
        if status in GOOD:
            seen.seconds.append(ended - began)
            seen.ends.append(ended)
