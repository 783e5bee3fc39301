"""The rows of a workbook's sheet, as texts."""

import datetime
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from inventory_core.errors import FileRefused
from inventory_core.imports.limits import Limits
from inventory_core.imports.package import Package, open_package
from inventory_core.imports.sheet_check import SheetCheck, check_strings

Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta
ErrorCells = Mapping[int, Mapping[int, str]]


class WorkbookReader:
    """A sheet of a workbook, the first one if none is named.

    ``check`` comes before ``open``, which holds the whole sheet in memory, and ``batches`` after it.
    """

    def __init__(self, content: bytes, sheet: str | None, limits: Limits) -> None:
        """Read the index of the package. Raises ``FileRefused``, also with ``no_such_sheet``."""
        self._content = content
        self._limits = limits
        self._package: Package = open_package(content, limits)
        names = list(self._package.sheets)
        if sheet is None and names:
            sheet = names[0]
        if sheet is None or sheet not in names:
            raise FileRefused("no_such_sheet", ", ".join(names))
        self.sheet: str = sheet
        self.errors: ErrorCells = {}

    def check(self) -> Iterator[None]:
        """Prove that the sheet fits into memory; yield now and then. Raises ``FileRefused``."""
        yield from check_strings(self._package, self._limits)
        check = SheetCheck(self._limits)
        yield from check.run(self._package, self._package.sheets[self.sheet])
        self.errors = check.errors
        yield from self._package.check_rest()

    def batches(self, size: int) -> Iterator[list[list[str]]]:
        """Yield the rows of the sheet from the first one, ``size`` at a time. Raises ``FileRefused``."""
        try:
            with CalamineWorkbook.from_filelike(io.BytesIO(self._content)) as workbook:
                if self.sheet not in workbook.sheet_names:
                    raise FileRefused("damaged")
                cells = workbook.get_sheet_by_name(self.sheet)
        except PasswordError as error:
            raise FileRefused("password") from error
        except (CalamineError, ValueError, OSError) as error:
            raise FileRefused("damaged") from error
        rows = self._rows(cells)
        while batch := list(islice(rows, size)):
            yield batch

    def _rows(self, cells: CalamineSheet) -> Iterator[list[str]]:
        errors: Mapping[int, Any] = self.errors
        for number, row in enumerate(cells.iter_rows(), start=1):
            texts = [value if type(value) is str else _text(value) for value in row]
            if errors:
                for place, error in errors.get(number, {}).items():
                    texts[place : place + 1] = [error]
            yield texts


def _text(value: Value) -> str:
    """Return what a person would type for the value: a spreadsheet's 12.0 is 12."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
