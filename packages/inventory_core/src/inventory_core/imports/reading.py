"""A file becomes a table, or is refused as a whole."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import BinaryIO

from inventory_core.errors import FileRefused, StorageRefused
from inventory_core.imports.csv_file import csv_records
from inventory_core.imports.headers import find_fields
from inventory_core.imports.limits import LIMITS, MEBIBYTE, Limits
from inventory_core.imports.table import ROWS_AT_ONCE, Records, Table, has_blank_ones, is_blank
from inventory_core.imports.workbook import read_workbook
from inventory_core.rules.texts import one_line

OLE_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
NO_ERRORS: Mapping[int, Mapping[int, str]] = {}

Progress = Callable[[int, int, str], None]
"""Is told the rows done, the rows in all (0: not known), and the stage: ``reading``, ``checking`` or ``writing``.

It cancels by raising.
"""


def read_table(
    source: Path | BinaryIO,
    *,
    filename: str,
    sheet: str | None = None,
    limits: Limits = LIMITS,
    progress: Progress | None = None,
) -> Table:
    """Read a CSV file or a workbook (XLSX); what it is, its content tells.

    CSV may be UTF-8, UTF-16 with a byte order mark, or Windows-1252, with commas, semicolons or tabs. Of a workbook
    ``sheet`` is read, the first one if None. The content is held in memory, within ``limits``. ``progress`` is told the rows
    that are read, in the stage ``reading``.
    Raises ``FileRefused`` with a stable ``reason``: ``empty``, ``too_large``, ``too_many_rows``, ``too_many_columns``,
    ``too_many_cells``, ``unpacked_too_large``, ``not_text``, ``encoding``, ``broken_quotes``, ``long_cell``,
    ``old_format``, ``wrong_format``, ``password``, ``damaged``, ``no_such_sheet``, ``missing_column`` or
    ``doubled_column``; and ``StorageRefused`` if it cannot be read.
    """
    content = _content(source, limits)
    if not content:
        raise FileRefused("empty")
    if content.startswith(ZIP):
        book = read_workbook(content, sheet, limits)
        return _table(content, book.records, limits, progress, book.sheet, book.error_cells)
    if content.startswith(OLE_CONTAINER):
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        raise FileRefused("password" if encrypted else "old_format")
    if PurePath(filename).suffix.lower() in (".xlsx", ".xlsm"):
        raise FileRefused("damaged")
    if sheet is not None:
        raise FileRefused("no_such_sheet")
    return _table(content, csv_records(content), limits, progress)


def _content(source: Path | BinaryIO, limits: Limits) -> bytes:
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                return _content(file, limits)
        content = source.read(limits.file + 1)
    except OSError as error:
        raise StorageRefused(f"the file cannot be read: {error.strerror or error}") from error
    if len(content) > limits.file:
        raise FileRefused("too_large", f"{limits.file // MEBIBYTE} MiB")
    return content


def _table(
    content: bytes,
    records: Records,
    limits: Limits,
    progress: Progress | None,
    sheet: str | None = None,
    error_cells: Mapping[int, Mapping[int, str]] = NO_ERRORS,
) -> Table:
    """Go through every record once: find the header and count, so that a fault of the form shows before anything else."""
    every = records()
    header_row, headers = next(
        ((number, _trimmed(cells)) for number, cells in enumerate(every, start=1) if not is_blank(cells)), (0, ())
    )
    if not headers:
        raise FileRefused("empty")
    if len(headers) > limits.columns:
        raise FileRefused("too_many_columns", str(limits.columns))
    places = find_fields(headers)
    size = below = 0
    while portion := list(islice(every, ROWS_AT_ONCE)):
        below += len(portion)
        if below > limits.rows:
            raise FileRefused("too_many_rows", str(limits.rows))
        if progress is not None:
            progress(below, 0, "reading")
        size += sum(not is_blank(cells) for cells in portion) if has_blank_ones(portion) else len(portion)
    digest = hashlib.sha256(content).hexdigest()
    return Table(headers, places, sheet, size, digest, header_row, records, error_cells)


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    headers = [one_line(cell) for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    return tuple(headers)
