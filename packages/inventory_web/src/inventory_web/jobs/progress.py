"""The progress of a job, its remaining time, and requests to end it."""

import math
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from inventory_core import Inventory, InventoryError
from inventory_web.http.logs import get_logger
from inventory_web.jobs.queue import LeaseLost, renew

SETTLED_SECONDS = 3.0
"""No estimate before that many seconds: the first rows say little."""
SMOOTHING_SECONDS = 8.0
"""The time after which a change of the rate counts for two thirds."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Rows per second of one stage: an exponentially weighted mean over the reports. Times are seconds of one clock."""

    stage: str = ""
    began_at: float = 0.0
    at: float = 0.0
    done: int = 0
    rate: float | None = None

    def after(self, stage: str, done: int, at: float) -> Self:
        """Return the throughput after a report of ``done`` rows at ``at``; another stage, or fewer rows, starts again."""
        if stage != self.stage or done < self.done:
            return type(self)(stage, at, at, done)
        elapsed = at - self.at
        if elapsed <= 0:
            return self
        latest = (done - self.done) / elapsed
        weight = 1 - math.exp(-elapsed / SMOOTHING_SECONDS)
        rate = latest if self.rate is None else self.rate + weight * (latest - self.rate)
        return type(self)(stage, self.began_at, at, done, rate)

    def remaining(self, total: int) -> float | None:
        """Return the seconds until ``total`` rows are done; None if not known."""
        if not self.rate or total <= 0 or self.at - self.began_at < SETTLED_SECONDS:
            return None
        return max(0.0, (total - self.done) / self.rate)


SAVE_INTERVAL_SECONDS = 1.0
SAMPLE_INTERVAL_SECONDS = 0.5

log = get_logger(__name__)


class Cancelled(Exception):
    """A user cancelled the job; this error rolls back its open transaction."""


class Stopped(Exception):
    """The process ends; another one starts the job again."""


class Progress:
    """Receives reports of a step, and saves them from its own thread.

    A report raises ``Cancelled``, ``Stopped`` or ``LeaseLost`` if the step must end. On SQLite nothing can be written
    while the transaction of an import is open, so only this process then knows its progress and can cancel it.
    """

    def __init__(self, inventory: Inventory, job_id: str, worker: str) -> None:
        self._inventory = inventory
        self._job_id = job_id
        self._worker = worker
        self._ending: type[Exception] | None = None
        self._now = ("", 0, 0)
        self._throughput = Throughput("", time.monotonic(), time.monotonic())
        self._over = threading.Event()
        self._writer = threading.Thread(target=self._save_progress, name=f"notes-{job_id[:8]}", daemon=True)

    def __call__(self, done: int, total: int, stage: str) -> None:
        """Receive a report; fast, because the caller is inside a transaction."""
        self._now = (stage, done, total)
        at = time.monotonic()
        if stage != self._throughput.stage or at - self._throughput.at >= SAMPLE_INTERVAL_SECONDS:
            self._throughput = self._throughput.after(stage, done, at)
        self.check()

    def check(self) -> None:
        """Raise the reason to end, if there is one."""
        if self._ending is not None:
            raise self._ending

    @property
    def now(self) -> tuple[str, int, int, float | None]:
        """Return the stage, the rows done, the total rows and the remaining seconds."""
        stage, done, total = self._now
        # Time without a report lowers the rate.
        return stage, done, total, self._throughput.after(stage, done, time.monotonic()).remaining(total)

    @property
    def over(self) -> bool:
        """Return whether the step has ended and its result is about to be stored."""
        return self._over.is_set()

    @property
    def cancelling(self) -> bool:
        """Return whether the job is being cancelled."""
        return self._ending is Cancelled

    def request_stop(self, reason: type[Exception]) -> None:
        """Make the next report raise ``reason``; the first reason counts."""
        self._ending = self._ending or reason

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._writer.join()

    def _save_progress(self) -> None:
        while not self._over.wait(SAVE_INTERVAL_SECONDS):
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
                    self.request_stop(Cancelled)
            except LeaseLost:
                self.request_stop(LeaseLost)
                return
            except InventoryError as error:
                log.info("job_progress", job=self._job_id, code=error.code)
