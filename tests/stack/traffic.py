"""Continuous reads and writes by several users, with the outcome of each request."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stack.system import System, eventually
from tests.stack.visitor import Visitor

WAIT_SECONDS = 240.0
MOVEMENTS = (
    "SELECT COUNT(*) FROM inventory.inventory_movement m JOIN inventory.inventory_product p ON p.id = m.product_id "
    "WHERE p.code LIKE '{}-%' AND m.quantity > 0"
)


@dataclass
class Traffic:
    """Clients that alternate between a page and a change until they are stopped.

    Each change adds 1 to the quantity of the client's own product. It carries no operation id, so the inventory cannot
    recognise a repetition: the number of movements says whether a change was sent to two instances.
    """

    visitor: Visitor
    prefix: str
    clients: int = 6
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def codes(self) -> list[str]:
        """The product of each client."""
        return [f"{self.prefix}-{number}" for number in range(self.clients)]

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(self.statuses.values())

    @property
    def confirmed(self) -> int:
        """How many changes were confirmed."""
        return self.statuses["POST", 303]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests until the block ends; raise what a client raised."""
        with ThreadPoolExecutor(self.clients) as pool:
            clients = [pool.submit(self._use, code) for code in self.codes]
            try:
                yield
            finally:
                self._over.set()
            for client in clients:
                client.result()

    def wait_for(self, requests: int) -> None:
        """Wait until that many more requests were answered."""
        goal = self.requests + requests
        eventually(f"{requests} more requests are answered", lambda: self.requests >= goal, seconds=WAIT_SECONDS)

    def _use(self, code: str) -> None:
        user = Visitor(self.visitor.host, self.visitor.port, dict(self.visitor.cookies))
        while not self._over.is_set():
            self._send("GET", user, f"/inventory?search={code}")
            self._send("POST", user, f"/products/{code}/quantity", delta="1")

    def _send(self, method: str, user: Visitor, path: str, **data: str) -> None:
        began = time.monotonic()
        answer = user.get(path) if method == "GET" else user.post(path, **data)
        seconds = time.monotonic() - began
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self.statuses[method, answer.status] += 1
        if answer.status != (200 if method == "GET" else 303):
            self.failures.append(
                f"{method} {path}: {answer.status} after {seconds:.1f} s from {answer.header('X-Served-By')}"
            )


def movements(system: System, prefix: str) -> int:
    """Return how many movements the source holds of products whose code begins like this."""
    return int(system.query("db", MOVEMENTS.format(prefix)))
