"""Parses a file into frames of rows. Runs in its own process, with limits (see ``parser_process``)."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from inventory_core.importing.csv_reader import csv_batches
from inventory_core.importing.protocol import (
    Frame,
    FrameKind,
    Limits,
    Rows,
    UnreadableFile,
    frame_of,
    has_blank_rows,
    is_blank,
    rows_frames,
)

BATCH_SIZE = 500
"""Rows per frame; few rows in memory relieve the garbage collector."""
OLE_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_NO_ERRORS: Mapping[int, Mapping[int, str]] = {}


def parse_file(content: bytes, filename: str, sheet: str | None, limits: Limits) -> Iterator[Frame]:
    """Yield the non-blank rows of a CSV file or a workbook, then one frame with the name of the sheet.

    Raises ``UnreadableFile`` with the reasons of ``read_table``.
    """
    if not content:
        raise UnreadableFile("empty")
    if content.startswith(ZIP):
        # CSV files do not need it.
        from inventory_core.importing.xlsx_reader import WorkbookReader  # noqa: PLC0415

        reader = WorkbookReader(content, sheet, limits)
        for _ in reader.check():
            yield Frame(FrameKind.ALIVE)
        yield from _frames(reader.batches(BATCH_SIZE), reader.errors, limits)
        yield frame_of(FrameKind.END, reader.sheet)
        return
    if content.startswith(OLE_CONTAINER):
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        raise UnreadableFile("password" if encrypted else "old_format")
    if PurePath(filename).suffix.lower() in (".xlsx", ".xlsm"):
        raise UnreadableFile("damaged")
    if sheet is not None:
        raise UnreadableFile("no_such_sheet")
    yield from _frames(csv_batches(content, BATCH_SIZE), _NO_ERRORS, limits)
    yield frame_of(FrameKind.END, None)


def _frames(
    batches: Iterator[list[list[str]]], errors: Mapping[int, Mapping[int, str]], limits: Limits
) -> Iterator[Frame]:
    last = cells = 0
    for batch in batches:
        numbers: range | list[int] = range(last + 1, last + 1 + len(batch))
        last += len(batch)
        if last > limits.rows + 1:
            raise UnreadableFile("too_many_rows", str(limits.rows))
        widths = list(map(len, batch))
        if max(widths) > limits.row_cells:
            raise UnreadableFile("too_many_columns", str(limits.row_cells))
        cells += sum(widths)
        if cells > limits.cells:
            raise UnreadableFile("too_many_cells", str(limits.cells))
        kept = batch
        if has_blank_rows(batch):
            full = [(number, row) for number, row in zip(numbers, batch, strict=True) if not is_blank(row)]
            numbers, kept = [number for number, _ in full], [row for _, row in full]
        if kept:
            some = {number: errors[number] for number in numbers if number in errors} if errors else {}
            yield from rows_frames(Rows(numbers, kept, some), last)
        else:
            yield Frame(FrameKind.ALIVE, last=last)
