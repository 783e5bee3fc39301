"""The rows of a workbook's sheet, as texts."""

import datetime
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from inventory_core.errors import FileRefused
from inventory_core.imports.limits import Limits
from inventory_core.imports.package import inspect_package, inspect_sheet
from inventory_core.imports.table import Records

Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta


@dataclass(frozen=True, slots=True)
class Book:
    """A sheet that was read; ``error_cells`` holds what stands in cells that show an error, by row and column."""

    sheet: str
    records: Records
    error_cells: Mapping[int, Mapping[int, str]]


def read_workbook(content: bytes, sheet: str | None, limits: Limits) -> Book:
    """Read a sheet, the first one if None, after its package was found harmless. Raises ``FileRefused``."""
    package = inspect_package(content, limits)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            names = workbook.sheet_names
            if sheet is None and names:
                sheet = names[0]
            if sheet not in names:
                raise FileRefused("no_such_sheet", ", ".join(names))
            error_cells = inspect_sheet(package, sheet, limits)
            cells = workbook.get_sheet_by_name(sheet)
    except PasswordError as error:
        raise FileRefused("password") from error
    except (CalamineError, ValueError, OSError) as error:
        raise FileRefused("damaged") from error
    return Book(sheet, _records(cells, error_cells), error_cells)


def _records(cells: CalamineSheet, error_cells: Mapping[int, Mapping[int, str]]) -> Records:
    def records() -> Iterator[list[str]]:
        for number, row in enumerate(cells.iter_rows(), start=1):
            texts = [value if type(value) is str else _text(value) for value in row]
            for place, error in error_cells.get(number, {}).items():
                texts[place : place + 1] = [error]
            yield texts

    return records


def _text(value: Value) -> str:
    """What a person would type for the value: a spreadsheet's 12.0 is 12."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
