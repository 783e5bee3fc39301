"""Rows of a file in the temporary folder, so that memory stays the same however many there are."""

import tempfile
import weakref
from collections.abc import Iterator

from inventory_core.errors import FileRefused, StorageRefused
from inventory_core.imports.frames import Rows, decode_rows
from inventory_core.imports.limits import MEBIBYTE


class RowStore:
    """Frames of rows, written once and read any number of times; a few stay in memory. Not for several threads at once."""

    def __init__(self, limit: int) -> None:
        """Make an empty store of at most ``limit`` bytes."""
        self._limit = limit
        self._size = 0
        self._places: list[tuple[int, int]] = []
        self._file = tempfile.SpooledTemporaryFile(max_size=MEBIBYTE)  # noqa: SIM115 - closed with the store
        weakref.finalize(self, self._file.close)

    def add(self, payload: bytes) -> None:
        """Keep the payload of a frame. Raises ``FileRefused`` (``too_demanding``) or ``StorageRefused``."""
        if self._size + len(payload) > self._limit:
            raise FileRefused("too_demanding", "storage")
        try:
            self._file.write(payload)
        except OSError as error:
            raise StorageRefused(f"the temporary folder cannot be written: {error.strerror or error}") from error
        self._places.append((self._size, len(payload)))
        self._size += len(payload)

    def __iter__(self) -> Iterator[Rows]:
        """Read all rows again, some hundreds at a time."""
        for start, length in self._places:
            # Another iteration may have moved the file's position since.
            self._file.seek(start)
            yield decode_rows(self._file.read(length))
