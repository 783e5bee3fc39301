"""Rows as CSV: UTF-8 with a byte order mark, so that spreadsheets recognise it; commas; lines ended by CR LF."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, TypeVar

from inventory_core.exports.columns import FileColumn
from inventory_core.exports.safety import guard
from inventory_core.plugins import Cell

Row = TypeVar("Row")


def write_csv(target: BinaryIO, columns: Sequence[FileColumn[Row]], rows: Iterable[Row]) -> int:
    """Write a header and the rows; give the number of rows. ``target`` stays open."""
    text = io.TextIOWrapper(target, "utf-8-sig", newline="")
    try:
        writer = csv.writer(text)
        writer.writerow([guard(column.header) for column in columns])
        values = [column.value for column in columns]
        number = 0
        for row in rows:
            writer.writerow([_cell(value(row)) for value in values])
            number += 1
        text.flush()
    finally:
        text.detach()
    return number


def _cell(value: Cell) -> str | int | None:
    if isinstance(value, str):
        return guard(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value
