"""A reader that loses patience with a peer that answers byte by byte."""

from io import BufferedReader, RawIOBase
from math import inf
from socket import socket
from time import monotonic
from typing import Final

BUFFER_BYTES: Final = 64 * 1024
PROGRESS_BYTES: Final = 1024
"""So much must come within three read time-outs, or the answer end; a socket's own time-out begins anew with each byte."""


class DeadlineReader(RawIOBase):
    """Reads from a socket, counting the time that it waits.

    ``TimeoutError`` is raised when the waiting since `begin`, or since the last `PROGRESS_BYTES` came, exceeds three times the
    socket's time-out, and as always when nothing at all comes within one.
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
        """Whether somebody waits for bytes at this moment, and none have come since that monotonic time. Any thread may ask."""
        return self._waiting and self._heard_at < since

    def begin(self) -> None:
        """A new question has been sent: its answer has all the time again."""
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
    """A buffered reader of the socket, and the reader under it whose `begin` is to be called with each question."""
    reader = DeadlineReader(connection)
    return BufferedReader(reader, BUFFER_BYTES), reader
