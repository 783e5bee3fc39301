"""Several people at work at once."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.journeys.client import SEE_OTHER, Client, address
from tests.journeys.forms import form_with
from tests.journeys.logbook import Logbook, Outcome, Step
from tests.journeys.walks import JOURNEYS, log_out_and_in
from tests.stack.system import eventually
from tests.stack.visitor import Visitor

MOST_ROUNDS = 20
"""The load is bounded, however long a drill takes."""
PASSWORD = "una clave larga y propia"


@dataclass
class Crowd:
    """Clients with accounts of their own, and a product that all of them work on."""

    clients: list[Client]
    shared: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    walks: list["Future[None]"] = field(default_factory=list)

    @classmethod
    def of(cls, administrator: Visitor, number: int, *, patient: bool = False) -> "Crowd":
        """Have accounts made for new people; they are not logged in yet."""
        names = [f"p{uuid.uuid4().hex[:8]}" for _ in range(number)]
        for name in names:
            form = form_with(administrator.get("/users").text, "password", "/users")
            form.fields |= {"username": name, "role": "operator", "password": PASSWORD}
            made = administrator.post("/users", **form.fields)
            assert made.status == SEE_OTHER, made.text
        return cls(
            [Client(name, PASSWORD, Visitor(administrator.host, administrator.port), patient=patient) for name in names]
        )

    @property
    def logbooks(self) -> list[Logbook]:
        return [client.logbook for client in self.clients]

    @property
    def acknowledged(self) -> list[int]:
        """How many attempts were acknowledged, for each client."""
        return [logbook.reported(Outcome.ACKNOWLEDGED) for logbook in self.logbooks]

    @property
    def turned_away(self) -> list[int]:
        """How many changes were refused with 503, for each client."""
        return [client.turned_away for client in self.clients]

    def log_in(self) -> None:
        """Let everybody in, and register the product that they share."""
        for client in self.clients:
            client.log_in()
        first = self.clients[0]
        self.shared = first.register("Compartido", 1, f"TODOS-{uuid.uuid4().hex[:8]}".upper())
        del first.known[self.shared]

    @property
    def broken_off(self) -> int:
        """How many pages of all clients ended in their middle."""
        return sum(client.broken_off for client in self.clients)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Everybody walks through all journeys, and through them again until the block ends; each begins with another."""
        with ThreadPoolExecutor(len(self.clients)) as pool:
            try:
                self.walks = [pool.submit(self._walk, number, client) for number, client in enumerate(self.clients)]
                yield
            finally:
                self.over.set()
        for walk in self.walks:
            walk.result()

    def until(self, what: str, check: Callable[[], object]) -> None:
        """Wait for a condition while they work; report an earlier failure first."""

        def so() -> bool:
            for walk in self.walks:
                if walk.done():
                    walk.result()
            return bool(check())

        eventually(what, so)

    def until_each(self, what: str, numbers: Callable[[], list[int]]) -> None:
        """Wait for a number of each of them to grow."""
        before = numbers()
        self.until(what, lambda: all(now > then for now, then in zip(numbers(), before, strict=True)))

    def _walk(self, number: int, client: Client) -> None:
        log_out_and_in(client)
        for turn in range(MOST_ROUNDS * len(JOURNEYS)):
            if turn >= len(JOURNEYS) and self.over.is_set():
                return
            journey = JOURNEYS[(turn + number) % len(JOURNEYS)]
            try:
                journey(client)
                self._receive_one(client)
            except AssertionError as failure:
                failure.add_note(f"{client.name} on the journey {journey.__name__!r}")
                raise

    def _receive_one(self, client: Client) -> None:
        """Add one to the shared product; its total is unknown, but each client finds its own movement."""
        form = form_with(client.read(address(self.shared)).text, "kind", address(self.shared, "movements"))
        form.fields |= {"kind": "receive", "quantity": "1"}
        write = client.logbook.about_to(form.fields["operation"], Step(self.shared, "receive", 1))
        client.change(write, address(self.shared, "movements"), form)
        assert self.shared in client.read(f"/movements?operation={write.operation}").text
