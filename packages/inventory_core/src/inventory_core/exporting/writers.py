"""Write rows as CSV or as a workbook."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from inventory_core.exporting.columns import FileColumn
from inventory_core.exporting.formula_guard import guard, looks_like_formula
from inventory_core.plugins import Cell

Row = TypeVar("Row")

ROWS_PER_SHEET = 1_048_575
"""Maximum number of rows below the header of a sheet."""
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
SECONDS_PER_DAY = 86_400


def write_csv(target: BinaryIO, columns: Sequence[FileColumn[Row]], rows: Iterable[Row]) -> int:
    """Write a header and the rows; return the number of rows. ``target`` stays open."""
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


def write_workbook(
    target: Path,
    columns: Sequence[FileColumn[Row]],
    rows: Iterable[Row],
    *,
    title: str,
    scratch: Path,
    rows_per_sheet: int = ROWS_PER_SHEET,
) -> int:
    """Write the rows to the file ``target``; return their number.

    The header is frozen and has filters; whole numbers are numbers, times are times in UTC, every text is a text. Rows that do not
    fit on a sheet go to further ones, ``title 2`` and so on. ``scratch`` is a folder for temporary files.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    workbook = Workbook(target, options)
    try:
        number = _Sheets(workbook, columns, title, rows_per_sheet).write(rows)
    except BaseException:
        for sheet in workbook.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()
        raise
    workbook.close()
    return number


class _Sheets(Generic[Row]):
    def __init__(self, workbook: Workbook, columns: Sequence[FileColumn[Row]], title: str, rows_per_sheet: int) -> None:
        self._workbook = workbook
        self._columns = columns
        self._title = title
        self._rows_per_sheet = rows_per_sheet
        self._bold = workbook.add_format({"bold": True})
        self._time = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        # Without the prefix a text such as =1+1 becomes a formula when a user edits the cell.
        self._text = workbook.add_format({"quote_prefix": True, "num_format": "@"})

    def write(self, rows: Iterable[Row]) -> int:
        sheet = self._add_sheet(1)
        values = list(enumerate(column.value for column in self._columns))
        number = line = 0
        for number, row in enumerate(rows, start=1):
            if line == self._rows_per_sheet:
                self._finish(sheet, line)
                sheet, line = self._add_sheet((number - 1) // self._rows_per_sheet + 1), 0
            line += 1
            self._write_row(sheet, line, row, values)
        self._finish(sheet, line)
        return number

    def _write_row(
        self, sheet: Worksheet, line: int, row: Row, values: Sequence[tuple[int, Callable[[Row], Cell]]]
    ) -> None:
        for place, value in values:
            cell = value(row)
            if isinstance(cell, str):
                if cell:
                    sheet.write_string(line, place, cell, self._text if looks_like_formula(cell) else None)
            elif isinstance(cell, datetime):
                sheet.write_number(line, place, _serial(cell), self._time)
            elif cell is not None:
                sheet.write_number(line, place, cell)

    def _add_sheet(self, number: int) -> Worksheet:
        sheet = self._workbook.add_worksheet(self._title if number == 1 else f"{self._title} {number}")
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.header, self._bold)
        return sheet

    def _finish(self, sheet: Worksheet, lines: int) -> None:
        sheet.autofilter(0, 0, lines, len(self._columns) - 1)


def _serial(moment: datetime) -> float:
    return (moment - DAY_ZERO).total_seconds() / SECONDS_PER_DAY
