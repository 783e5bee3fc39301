"""The protocol with the process that parses a file: limits, and frames of rows.

It needs neither ``dataclasses`` nor the errors of the package: that halves the time in which the process starts.

Frames have a fixed header and a payload encoded with ``marshal``, because both ends are the same release of this program on the
same interpreter.
"""

import marshal
import struct
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, NamedTuple

MEBIBYTE = 1 << 20
MAX_MEMORY = 512 * MEBIBYTE
SHARE_OF_CONTAINER = 0.4
"""The share of a container's memory for the parser of one file; the server needs the rest."""
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def default_memory() -> int:
    """Return the memory limit of a parser in bytes: less in a small container."""
    for path in _CGROUP_LIMITS:
        try:
            return min(MAX_MEMORY, int(int(path.read_text("ascii")) * SHARE_OF_CONTAINER))
        except (OSError, ValueError):
            # There is no such controller, or it contains the word "max".
            continue
    return MAX_MEMORY


class Limits(NamedTuple):
    """Limits of a file.

    Attributes:
        file: Bytes of the file.
        unpacked: Bytes of a workbook's members, counted while they are unpacked.
        rows: Rows below the header, blank ones included.
        columns: Columns of the header.
        row_cells: Cells of any row; a spreadsheet has no more columns.
        cells: Cells of all rows.
        sheet_cells: Cells of the used rectangle of a sheet, which the reader holds in memory.
        strings: Shared strings of a workbook.
        stored: Bytes of the rows that were read, in the temporary folder.
        memory: Bytes of address space of the process that reads; only where the platform can limit it.
        seconds: Time that the process may take, of the clock and of the processor.
    """

    file: int = 64 * MEBIBYTE
    unpacked: int = 512 * MEBIBYTE
    rows: int = 1_048_576
    columns: int = 100
    row_cells: int = 16_384
    cells: int = 16_000_000
    sheet_cells: int = 4_000_000
    strings: int = 4_000_000
    stored: int = 256 * MEBIBYTE
    memory: int = MAX_MEMORY
    seconds: float = 120.0


IMPORT_LIMITS = Limits(memory=default_memory())


_first = itemgetter(0)


def has_blank_rows(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether any row is blank; most often the first cells already show that none is."""
    return not (all(rows) and all(map(str.strip, map(_first, rows)))) and any(map(is_blank, rows))


def is_blank(cells: Sequence[str]) -> bool:
    """Return whether no cell has more than white space."""
    return not any(cells) or not "".join(cells).strip()


MAX_FRAME = 32 * MEBIBYTE
SPLIT_FRAME = 4 * MEBIBYTE
_HEADER = struct.Struct("<BIIQ")


class FrameKind(IntEnum):
    """The kind of a frame."""

    STARTED = 1
    """The parser has started."""
    ALIVE = 2
    """The parser works, but has no row yet."""
    ROWS = 3
    """Payload: the number of the first row or of each, the rows, and the error cells by row."""
    END = 4
    """Payload: the name of the sheet, or None."""
    REFUSED = 5
    """Payload: the reason and the detail of ``FileRefused``."""


class Frame(NamedTuple):
    """A message of the parser; ``rows`` is the number of rows in the payload, ``last`` the number of the last row read."""

    kind: FrameKind
    rows: int = 0
    last: int = 0
    payload: bytes = b""

    @property
    def content(self) -> Any:
        """Return the decoded payload."""
        return marshal.loads(self.payload)  # noqa: S302 - written by our own reader


class Rows(NamedTuple):
    """Some rows that are not blank: their numbers as a spreadsheet shows them, and their cells.

    ``errors`` holds the texts of cells that show an error such as ``#N/A``, by row and column (from 0).
    """

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]
    errors: Mapping[int, Mapping[int, str]]


class UnreadableFile(Exception):
    """The file as a whole cannot be imported; the other end raises ``FileRefused``, whose module takes long to import."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


class TruncatedFrame(Exception):
    """The parser ended in the middle of a frame, or sent something else."""


def rows_frames(rows: Rows, last: int) -> Iterator[Frame]:
    """Encode rows, as several frames if they are large; a single row beyond ``MAX_FRAME`` is left to the receiver."""
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
