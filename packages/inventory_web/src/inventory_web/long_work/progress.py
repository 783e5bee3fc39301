"""How far a job is: in memory for this process, and written down for the others; and whether to go on."""

import threading
import time
from types import TracebackType
from typing import Self

from inventory_core.errors import InventoryError
from inventory_core.inventory import Inventory
from inventory_web.logs import get_logger
from inventory_web.long_work.claims import LeaseLost, renew
from inventory_web.long_work.pace import Pace

SECONDS_BETWEEN_NOTES = 1.0
SECONDS_BETWEEN_SAMPLES = 0.5

log = get_logger(__name__)


class Cancelled(Exception):
    """Somebody asked to cancel the job; what was under way is rolled back by this error."""


class Stopped(Exception):
    """The process ends; another one begins the job again."""


class Progress:
    """Takes what the work reports, and writes it down from a thread of its own.

    A report is where the work learns that it is to end: it raises ``Cancelled``, ``Stopped`` or ``LeaseLost``. On SQLite
    nothing can be written while an import's own transaction is open: the note then waits for its end, and only this process
    knows how far it is, and can cancel it.
    """

    def __init__(self, inventory: Inventory, job_id: str, worker: str) -> None:
        self._inventory = inventory
        self._job_id = job_id
        self._worker = worker
        self._ending: type[Exception] | None = None
        self._now = ("", 0, 0)
        self._pace = Pace("", time.monotonic(), time.monotonic())
        self._over = threading.Event()
        self._writer = threading.Thread(target=self._write_down, name=f"notes-{job_id[:8]}", daemon=True)

    def __call__(self, done: int, total: int, stage: str) -> None:
        """Take a report; quick, since it comes from within a transaction."""
        self._now = (stage, done, total)
        at = time.monotonic()
        if stage != self._pace.stage or at - self._pace.at >= SECONDS_BETWEEN_SAMPLES:
            self._pace = self._pace.after(stage, done, at)
        self.check()

    def check(self) -> None:
        """Raise why the work is to end, if it is."""
        if self._ending is not None:
            raise self._ending

    @property
    def now(self) -> tuple[str, int, int, float | None]:
        """The stage, the rows done, all rows, and the seconds that remain."""
        stage, done, total = self._now
        # What has been silent for a while is slower than it was.
        return stage, done, total, self._pace.after(stage, done, time.monotonic()).remaining(total)

    @property
    def over(self) -> bool:
        """Whether nothing more will be reported: the work has ended, and how is about to be written down."""
        return self._over.is_set()

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to end for good."""
        return self._ending is Cancelled

    def end_with(self, reason: type[Exception]) -> None:
        """Let the next report raise ``reason``; the first one that is given counts."""
        self._ending = self._ending or reason

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._writer.join()

    def _write_down(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_NOTES):
            stage, done, total, remaining = self.now
            try:
                cancel = renew(
                    self._inventory,
                    self._job_id,
                    self._worker,
                    stage=stage,
                    done=done,
                    total=total,
                    remaining=remaining,
                )
                if cancel:
                    self.end_with(Cancelled)
            except LeaseLost:
                self.end_with(LeaseLost)
                return
            except InventoryError as error:
                log.info("job_progress", job=self._job_id, code=error.code)
