"""Socket reader with an overall deadline."""

from io import BufferedReader, RawIOBase
from math import inf
from socket import socket
from time import monotonic
from typing import Final

BUFFER_BYTES: Final = 64 * 1024
PROGRESS_BYTES: Final = 1024
"""Bytes that must arrive within three read time-outs, unless the answer ends. A socket's own time-out restarts with each byte."""


class DeadlineReader(RawIOBase):
    """Reads from a socket and limits the total waiting time.

    Raises ``TimeoutError`` if the waiting since `begin`, or since the last `PROGRESS_BYTES` arrived, exceeds three times the
    socket's time-out, and, like any socket, if nothing arrives within one.
    """

    def __init__(self, connection: socket) -> None:
        super().__init__()
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._waited = 0.0
        self._received = 0
        self._waiting = False
        self._heard_at = -inf

    def is_silent_since(self, since: float) -> bool:
        """Return whether a thread waits for bytes now and none have arrived since that monotonic time. Thread-safe."""
        return self._waiting and self._heard_at < since

    def begin(self) -> None:
        """Reset the deadline; call it when a new query is sent."""
        self._waited = 0.0
        self._received = 0

    def readable(self) -> bool:  # noqa: D102
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]  # noqa: D102
        started = monotonic()
        self._waiting = True
        try:
            size = self._raw.readinto(buffer)
        finally:
            self._waiting = False
        self._heard_at = monotonic()
        self._waited += self._heard_at - started
        self._received += size or 0
        if self._received >= PROGRESS_BYTES:
            self.begin()
        elif size:
            limit = self._connection.gettimeout()
            if limit is not None and self._waited > 3 * limit:
                raise TimeoutError(f"timed out: {self._received} bytes in {self._waited:.1f} s")
        return size

    def close(self) -> None:  # noqa: D102
        self._raw.close()
        super().close()


def open_deadline_reader(connection: socket) -> tuple[BufferedReader, DeadlineReader]:
    """Return a buffered reader of the socket, and the reader below it whose `begin` must be called with each query."""
    reader = DeadlineReader(connection)
    return BufferedReader(reader, BUFFER_BYTES), reader
