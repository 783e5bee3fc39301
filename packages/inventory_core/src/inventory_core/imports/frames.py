"""How the process that reads a file sends its rows: frames with a fixed header, their payload in the form of ``marshal``.

Both ends are the same release of this program on the same interpreter, which is what ``marshal`` is for.
"""

import marshal
import struct
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import IO, Any, NamedTuple

from inventory_core.imports.limits import MEBIBYTE

MAX_FRAME = 32 * MEBIBYTE
SPLIT_FRAME = 4 * MEBIBYTE
_HEADER = struct.Struct("<BIIQ")


class FrameKind(IntEnum):
    """What a frame says."""

    STARTED = 1
    """The reader runs."""
    ALIVE = 2
    """The reader works, and has no row yet."""
    ROWS = 3
    """Payload: the number of the first row or of each, the rows, and the error cells by row."""
    END = 4
    """Payload: the name of the sheet, or None."""
    REFUSED = 5
    """Payload: the reason and the detail of ``FileRefused``."""


class Frame(NamedTuple):
    """One message of the reader; ``rows`` is the number of rows in the payload, ``last`` the number of the last row read."""

    kind: FrameKind
    rows: int = 0
    last: int = 0
    payload: bytes = b""

    @property
    def content(self) -> Any:
        """The decoded payload."""
        return marshal.loads(self.payload)  # noqa: S302 - written by our own reader


class Rows(NamedTuple):
    """Some rows that are not blank: their numbers as a spreadsheet shows them, and their cells.

    ``errors`` holds the texts of cells that show an error such as ``#N/A``, by row and column (from 0).
    """

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]
    errors: Mapping[int, Mapping[int, str]]


class TruncatedFrame(Exception):
    """The reader ended in the middle of a frame, or sent what is not a frame."""


def rows_frames(rows: Rows, last: int) -> Iterator[Frame]:
    """Encode rows, as several frames if they are large; a single row beyond ``MAX_FRAME`` is left to the other end."""
    numbers, cells, errors = rows
    first: int | list[int] = numbers[0] if isinstance(numbers, range) else list(numbers)
    content: Any = (first, cells, errors)
    payload = marshal.dumps(content)
    if len(payload) <= SPLIT_FRAME or len(cells) == 1:
        yield Frame(FrameKind.ROWS, len(cells), last, payload)
        return
    half = len(cells) // 2
    for part in (slice(None, half), slice(half, None)):
        kept = set(numbers[part])
        some = {number: texts for number, texts in errors.items() if number in kept}
        yield from rows_frames(Rows(numbers[part], cells[part], some), last)


def decode_rows(payload: bytes) -> Rows:
    """Return the rows of a frame."""
    first, cells, errors = marshal.loads(payload)  # noqa: S302 - written by our own reader
    numbers = range(first, first + len(cells)) if isinstance(first, int) else first
    return Rows(numbers, cells, errors)


def frame_of(kind: FrameKind, *content: Any) -> Frame:
    """Encode a frame without rows."""
    return Frame(kind, payload=marshal.dumps(content))


def write_frame(file: IO[bytes], frame: Frame) -> None:
    """Write a frame; it is flushed, unless it holds rows."""
    file.write(_HEADER.pack(frame.kind, frame.rows, frame.last, len(frame.payload)))
    file.write(frame.payload)
    if frame.kind is not FrameKind.ROWS:
        file.flush()


def read_frames(file: IO[bytes]) -> Iterator[Frame]:
    """Read frames until the file ends. Raises ``TruncatedFrame``."""
    while header := file.read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise TruncatedFrame
        kind, rows, last, length = _HEADER.unpack(header)
        if length > MAX_FRAME:
            raise TruncatedFrame
        payload = file.read(length)
        if len(payload) < length:
            raise TruncatedFrame
        yield Frame(FrameKind(kind), rows, last, payload)
