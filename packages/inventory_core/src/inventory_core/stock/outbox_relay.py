"""Thread that delivers the events of the outbox as long as a process runs."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from inventory_core.context import InventoryContext
from inventory_core.errors import InventoryError
from inventory_core.stock.hooks import EVENT_HOOKS, has_listeners
from inventory_core.stock.outbox import Delivery, deliver_batch

POLL_SECONDS = 1.0
"""How long an idle relay waits before it looks for events again."""
MAX_BACKOFF_SECONDS = 30.0
"""The longest wait while the database cannot be used."""
STOP_TIMEOUT_SECONDS = 5.0
BATCH_SIZE = 500

_LOG = logging.getLogger(__name__)


class OutboxRelay:
    """Delivers events in its own thread, whichever program wrote them.

    Start it in each serving process, after a fork; any number may run at the same time. It polls once a second with one
    read-only statement, and runs no thread if no plugin listens. While the database is not available or read-only, it retries with
    growing pauses of up to 30 seconds.

        with OutboxRelay(inventory):
            serve()

    Args:
        inventory: The inventory, with the plugins that receive the events.
        poll_seconds: The pause between two polls while nothing is due.
        context: Entered around each batch, for plugins that need one, such as a Flask application context.
        on_delivery: Called in the thread with the result of each batch that was not empty.
    """

    def __init__(
        self,
        inventory: InventoryContext,
        *,
        poll_seconds: float = POLL_SECONDS,
        context: Callable[[], AbstractContextManager[object]] = nullcontext,
        on_delivery: Callable[[Delivery], None] = lambda _: None,
    ) -> None:
        self._inventory = inventory
        self._poll_seconds = poll_seconds
        self._context = context
        self._on_delivery = on_delivery
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure = ""
        self._failures = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Return whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, unless it runs or no plugin listens."""
        listening = any(has_listeners(self._inventory.plugins, event) for event in EVENT_HOOKS)
        if self.is_running or not listening:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="outbox-relay", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = STOP_TIMEOUT_SECONDS) -> None:
        """Stop the thread and put back what it has claimed; an idle one stops at once.

        A plugin that takes longer than ``timeout`` seconds for one event is left behind; if the process ends then, the events
        that were claimed come again when their lease ends.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = self._deliver()

    def _deliver(self) -> float:
        """Deliver one batch; return the seconds to wait before the next one."""
        began = time.monotonic()
        try:
            with self._context():
                done = deliver_batch(self._inventory, BATCH_SIZE, is_stopping=self._stopping.is_set)
                if done.claimed:
                    self._on_delivery(done)
        except InventoryError as error:
            return self._back_off(error.code, f"{error.code}: {error}")
        except Exception as error:  # noqa: BLE001 - the thread must go on
            if self._failure != type(error).__name__:
                _LOG.exception("outbox: events cannot be delivered")
            return self._back_off(type(error).__name__)
        if self._failures:
            _LOG.warning("outbox: events are delivered again")
        self._failure, self._failures = "", 0
        # Poll less often if a poll takes long because many events wait for an earlier one.
        return 0.0 if done.claimed else max(self._poll_seconds, 10 * (time.monotonic() - began))

    def _back_off(self, failure: str, message: str = "") -> float:
        if message and failure != self._failure:
            _LOG.warning("outbox: events cannot be delivered now, they wait: %s", message)
        self._failure = failure
        self._failures += 1
        return min(MAX_BACKOFF_SECONDS, self._poll_seconds * 2.0 ** min(self._failures - 1, 10))
