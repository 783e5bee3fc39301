"""A file becomes a table, or is refused as a whole."""

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from inventory_core.errors import FileRefused, StorageRefused
from inventory_core.imports.frames import Frame, FrameKind, Rows, decode_rows, rows_frames
from inventory_core.imports.headers import find_fields
from inventory_core.imports.limits import IMPORT_LIMITS, MEBIBYTE, Limits
from inventory_core.imports.parser_process import parse_in_process
from inventory_core.imports.row_store import RowStore
from inventory_core.imports.table import Table
from inventory_core.rules.texts import normalize_line

_PIECE = MEBIBYTE

Progress = Callable[[int, int, str], None]
"""Takes the rows done, the rows in all (0: not known), and the stage: ``reading``, ``checking`` or ``writing``.

It cancels by raising.
"""


def read_table(
    source: Path | BinaryIO,
    *,
    filename: str,
    sheet: str | None = None,
    limits: Limits = IMPORT_LIMITS,
    progress: Progress | None = None,
) -> Table:
    """Read a CSV file or a workbook (XLSX); its content decides which of them it is.

    CSV may be UTF-8, UTF-16 with a byte order mark, or Windows-1252, with commas, semicolons or tabs. Of a workbook
    ``sheet`` is read, the first one if None. The file is parsed in a process of its own, bounded by ``limits``; the rows are
    kept in the temporary folder as long as the table is. ``progress`` is called with the rows that are read, in the stage
    ``reading``.

    Raises:
        FileRefused: with a stable ``reason``: ``empty``, ``too_large``, ``too_many_rows``, ``too_many_columns``,
            ``too_many_cells``, ``too_many_strings``, ``unpacked_too_large``, ``not_text``, ``encoding``, ``broken_quotes``,
            ``long_cell``, ``long_row``, ``old_format``, ``wrong_format``, ``password``, ``damaged``, ``cell_out_of_range``,
            ``doubled_sheet``, ``no_such_sheet``, ``missing_column`` or ``doubled_column``; or ``too_demanding``, with
            ``memory``, ``time``, ``storage`` or ``crash`` as its detail, if the process that reads the file has to be ended or
            ends by itself. The same file would be refused again.
        StorageRefused: if the file cannot be read, or nothing can be written to the temporary folder.
    """
    with _opened(source, limits) as file:
        start = file.tell()
        digest = _digest(file, limits)
        file.seek(start)
        with closing(parse_in_process(file, filename=filename, sheet=sheet, limits=limits)) as frames:
            return build_table(frames, digest=digest, limits=limits, progress=progress)


def build_table(frames: Iterable[Frame], *, digest: str, limits: Limits, progress: Progress | None = None) -> Table:
    """Take the header from the first row, store the others. Raises as ``read_table`` does."""
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
    """Give a real file at its beginning: that of the caller, or a copy of what is not one."""
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
    # Others may have a number of a file whose content is not theirs, such as a compressed one.
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
    """Return the SHA-256 of the rest of the file. Raises ``FileRefused`` (``too_large``) before it is read whole."""
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
