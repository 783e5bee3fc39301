"""How far the imports of this instance are: in memory for this instance, and written down for the others."""

import threading
from types import TracebackType
from typing import Self

import structlog

from inventory_core.errors import InventoryError
from inventory_core.inventory import Inventory
from inventory_web.areas.imports.jobs import note_progress

SECONDS_BETWEEN_NOTES = 1.0

log = structlog.get_logger(__name__)


class Progress:
    """Takes what the core reports, and writes it down from a thread of its own.

    On SQLite nothing can be written while the import's own transaction is open: the note then waits for its end, and
    only this instance knows how far it is.
    """

    def __init__(self, inventory: Inventory, job_id: str) -> None:
        self._inventory = inventory
        self._job_id = job_id
        self._now = ("", 0, 0)
        self._over = threading.Event()
        self._writer = threading.Thread(target=self._write_down, name=f"import-notes-{job_id[:8]}", daemon=True)

    def __call__(self, done: int, total: int, stage: str) -> None:
        """Take a report; quick, since it comes from within the import's transaction."""
        self._now = (stage, done, total)

    @property
    def now(self) -> tuple[str, int, int]:
        """The stage, the rows done, and all rows."""
        return self._now

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
            try:
                note_progress(self._inventory, self._job_id, *self._now)
            except InventoryError as error:
                log.info("import_progress", job=self._job_id, code=error.code)
