"""Read a file into a table, or refuse it as a whole."""

import hashlib
import io
import os
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from inventory_core.errors import FileRefused, StorageRefused
from inventory_core.exporting.columns import TITLES
from inventory_core.importing.parser_process import parse_in_process
from inventory_core.importing.protocol import (
    IMPORT_LIMITS,
    MEBIBYTE,
    Frame,
    FrameKind,
    Limits,
    Rows,
    decode_rows,
    rows_frames,
)
from inventory_core.rules.texts import fold, normalize_line

OTHER_NAMES = {
    "code": ("sku", "referencia", "reference", "ref"),
    "name": ("producto", "product"),
    "location": ("lugar", "almacen", "place", "warehouse"),
    "quantity": ("existencias", "stock", "qty"),
    "retired": ("retirado",),
    "minimum": ("stock minimo", "cantidad minima", "minimum stock", "minimum quantity"),
}
STOCK_FIELDS = ("code", "location", "quantity")
FIELDS: Mapping[str, str] = {
    **{fold(title): field for field, titles in TITLES.items() for title in titles.values()},
    **{fold(name): field for field, names in OTHER_NAMES.items() for name in names},
}
"""The field behind each folded header."""

_PIECE = MEBIBYTE
Progress = Callable[[int, int, str], None]
"""Called with the finished rows, the total rows (0: not known), and the stage: ``reading``, ``checking`` or ``writing``.

It cancels by raising.
"""


def find_fields(headers: Sequence[str]) -> dict[str, int]:
    """Return the column of each known field; without a ``name`` the file only sets balances, and its other columns are ignored.

    Raises ``FileRefused``: ``doubled_column`` for two columns of one field, ``missing_column`` if a required column is missing:
    ``code``, and ``name`` or both ``location`` and ``quantity``.
    """
    places: dict[str, int] = {}
    for place, header in enumerate(headers):
        field = FIELDS.get(fold(normalize_line(header)))
        if field is None:
            continue
        if field in places:
            raise FileRefused("doubled_column", header)
        places[field] = place
    if missing := _missing(places):
        raise FileRefused("missing_column", missing)
    return places if "name" in places else {field: places[field] for field in STOCK_FIELDS}


def _missing(places: Mapping[str, int]) -> str | None:
    if "code" not in places:
        return "code"
    if "name" in places:
        return None
    if "location" in places:
        return None if "quantity" in places else "quantity"
    return "name"


class RowStore:
    """Frames of rows, written once and readable any number of times; a few stay in memory. Not thread-safe."""

    def __init__(self, limit: int) -> None:
        """Create an empty store of at most ``limit`` bytes."""
        self._limit = limit
        self._size = 0
        self._places: list[tuple[int, int]] = []
        self._file = tempfile.SpooledTemporaryFile(max_size=MEBIBYTE)  # noqa: SIM115 - closed with the store
        weakref.finalize(self, self._file.close)

    def add(self, payload: bytes) -> None:
        """Store the payload of a frame. Raises ``FileRefused`` (``too_demanding``) or ``StorageRefused``."""
        if self._size + len(payload) > self._limit:
            raise FileRefused("too_demanding", "storage")
        try:
            self._file.write(payload)
        except OSError as error:
            raise StorageRefused(f"the temporary folder cannot be written: {error.strerror or error}") from error
        self._places.append((self._size, len(payload)))
        self._size += len(payload)

    def __iter__(self) -> Iterator[Rows]:
        """Read all rows again, a few hundred at a time."""
        for start, length in self._places:
            # Another iteration may have moved the file's position since.
            self._file.seek(start)
            yield decode_rows(self._file.read(length))


@dataclass(frozen=True, slots=True)
class Table:
    """A file with a valid header; its rows are not checked yet.

    Attributes:
        headers: The texts of the header.
        places: The column of each field that is known (see ``headers``).
        sheet: The sheet of a workbook.
        size: The number of rows that are not blank.
        digest: The SHA-256 of the content.
        batches: The rows that are not blank, a few hundred at a time; each iteration starts at the first one.
    """

    headers: tuple[str, ...]
    places: Mapping[str, int]
    sheet: str | None
    size: int
    digest: str
    batches: Iterable[Rows] = field(repr=False)

    @property
    def kind(self) -> str:
        """Return ``products``, or ``stock`` for a file that only sets balances."""
        return "products" if "name" in self.places else "stock"

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """Return the headers that an import ignores, except the time of the last change, which exports write."""
        used = set(self.places.values())
        return tuple(header for place, header in enumerate(self.headers) if place not in used and header)

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield every row that is not blank, with its number in a spreadsheet."""
        for batch in self.batches:
            yield from zip(batch.numbers, batch.cells, strict=True)


def read_table(
    source: Path | BinaryIO,
    *,
    filename: str,
    sheet: str | None = None,
    limits: Limits = IMPORT_LIMITS,
    progress: Progress | None = None,
) -> Table:
    """Read a CSV file or a workbook (XLSX), which the content decides.

    CSV may be UTF-8, UTF-16 with a byte order mark, or Windows-1252, with commas, semicolons or tabs. Of a workbook
    ``sheet`` is read, the first one if None. The file is parsed in its own process, bounded by ``limits``; the rows are kept in
    the temporary folder as long as the table is. ``progress`` is called with the number of rows read, in the stage ``reading``.

    Raises:
        FileRefused: with a stable ``reason``: ``empty``, ``too_large``, ``too_many_rows``, ``too_many_columns``,
            ``too_many_cells``, ``too_many_strings``, ``unpacked_too_large``, ``not_text``, ``encoding``, ``broken_quotes``,
            ``long_cell``, ``long_row``, ``old_format``, ``wrong_format``, ``password``, ``damaged``, ``cell_out_of_range``,
            ``doubled_sheet``, ``no_such_sheet``, ``missing_column`` or ``doubled_column``; or ``too_demanding``, with
            ``memory``, ``time``, ``storage`` or ``crash`` as its detail, if the process that parses the file fails or is ended. The
                same file would be refused again.
        StorageRefused: if the file cannot be read, or nothing can be written to the temporary folder.
    """
    with _opened(source, limits) as file:
        start = file.tell()
        digest = _digest(file, limits)
        file.seek(start)
        with closing(parse_in_process(file, filename=filename, sheet=sheet, limits=limits)) as frames:
            return build_table(frames, digest=digest, limits=limits, progress=progress)


def build_table(frames: Iterable[Frame], *, digest: str, limits: Limits, progress: Progress | None = None) -> Table:
    """Take the header from the first row, store the others. Raises the errors of ``read_table``."""
    store = RowStore(limits.stored)
    headers: tuple[str, ...] = ()
    places: dict[str, int] = {}
    sheet = None
    size = header_row = 0
    for frame in frames:
        kept: Iterable[Frame] = (frame,) if frame.kind is FrameKind.ROWS else ()
        if frame.kind is FrameKind.END:
            (sheet,) = frame.content
        elif kept and not headers:
            header, rest = _split_header(decode_rows(frame.payload))
            header_row, headers = header[0], _trimmed(header[1])
            if len(headers) > limits.columns:
                raise FileRefused("too_many_columns", str(limits.columns))
            places = find_fields(headers)
            kept = rows_frames(rest, frame.last) if rest.cells else ()
        for each in kept:
            store.add(each.payload)
            size += each.rows
        if progress is not None and frame.kind is not FrameKind.END:
            progress(max(0, frame.last - header_row), 0, "reading")
    if not headers:
        raise FileRefused("empty")
    return Table(headers, places, sheet, size, digest, store)


@contextmanager
def _opened(source: Path | BinaryIO, limits: Limits) -> Iterator[IO[bytes]]:
    """Yield a real file at its beginning: the caller's, or a copy."""
    try:
        if isinstance(source, Path):
            with source.open("rb") as file, _opened(file, limits) as opened:
                yield opened
        elif _is_real_file(source):
            source.flush()
            yield source
        else:
            with tempfile.TemporaryFile() as copy:
                _copy(source, copy, limits.file + 1)
                copy.seek(0)
                yield copy
    except OSError as error:
        raise StorageRefused(f"the file cannot be read: {error.strerror or error}") from error


def _is_real_file(source: BinaryIO) -> bool:
    # Other objects may have the descriptor of a file with other content, such as a compressed one.
    return (
        isinstance(source, io.BufferedReader | io.BufferedRandom)
        and isinstance(source.raw, io.FileIO)
        and stat.S_ISREG(os.fstat(source.fileno()).st_mode)
    )


def _copy(source: BinaryIO, copy: IO[bytes], size: int) -> None:
    while size > 0 and (piece := source.read(min(size, _PIECE))):
        copy.write(piece)
        size -= len(piece)


def _digest(file: IO[bytes], limits: Limits) -> str:
    """Return the SHA-256 of the rest of the file. Raises ``FileRefused`` (``too_large``) before it is read completely."""
    digest, size = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        size += len(piece)
        if size > limits.file:
            raise FileRefused("too_large", f"{limits.file // MEBIBYTE} MiB")
        digest.update(piece)
    return digest.hexdigest()


def _split_header(rows: Rows) -> tuple[tuple[int, Sequence[str]], Rows]:
    numbers, cells, errors = rows
    rest = {number: texts for number, texts in errors.items() if number != numbers[0]}
    return (numbers[0], cells[0]), Rows(numbers[1:], cells[1:], rest)


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    headers = [normalize_line(cell) for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    if not headers:
        raise FileRefused("empty")
    return tuple(headers)
