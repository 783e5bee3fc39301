"""Files to import, made as spreadsheets make them."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from xlsxwriter import Workbook

from inventory_core import ImportResult, Inventory, Table, import_table, read_table
from inventory_core.testing import new_request

Rows = Sequence[Sequence[Any]]


def csv_bytes(rows: Rows, *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """The rows as a CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_bytes(sheets: Mapping[str, Rows]) -> bytes:
    """Sheets of texts and numbers as a workbook."""
    file = io.BytesIO()
    with Workbook(file, {"strings_to_formulas": False}) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return file.getvalue()


def table_of(content: bytes | Rows, filename: str = "file.csv", *, sheet: str | None = None) -> Table:
    """Read a file, given as its bytes or as the rows of a CSV file."""
    data = content if isinstance(content, bytes) else csv_bytes(content)
    return read_table(io.BytesIO(data), filename=filename, sheet=sheet)


def import_rows(inventory: Inventory, rows: Rows) -> ImportResult:
    """Import rows as a CSV file."""
    return import_table(inventory, table_of(rows), **new_request())
