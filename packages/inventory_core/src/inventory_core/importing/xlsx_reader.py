"""Check a workbook's sheet and read its rows as texts."""

import datetime
import io
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from inventory_core.importing.protocol import Limits, UnreadableFile
from inventory_core.importing.xlsx_archive import Attributes, Package, local_name, open_package, parse_xml

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
MAX_ERROR_LENGTH = 20
UNKNOWN_ERROR = "#ERROR!"

Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta
ErrorCells = Mapping[int, Mapping[int, str]]


class SheetCheck:
    """Parses the XML of a sheet; ``errors`` then has the texts of error cells, by row and column."""

    def __init__(self, limits: Limits) -> None:
        self.errors: dict[int, dict[int, str]] = {}
        self._limit = limits.sheet_cells
        self._row = self._column = self._width = self._height = self._cells = 0
        self._shows_error = False
        self._parser: expat.XMLParserType | None = None

    def run(self, package: Package, sheet: zipfile.ZipInfo) -> Iterator[None]:
        """Check a sheet; yield after each piece.

        Two distant cells make a rectangle that does not fit into memory, so its corner is found first. Raises ``UnreadableFile``:
        ``too_many_cells``, ``cell_out_of_range`` or ``damaged``.
        """
        yield from parse_xml(package.read(sheet), self._start, self._prepare)

    def _prepare(self, parser: expat.XMLParserType) -> None:
        self._parser = parser

    def _start(self, tag: str, attributes: Attributes) -> None:
        # Called millions of times.
        if tag == "c":
            self._start_cell(attributes)
        elif tag == "v":
            if self._column > self._width or self._row > self._height or self._shows_error:
                self._start_value()
        elif ":" in tag:
            self._start(local_name(tag), attributes)
        elif tag == "is":
            self._start_value()
        elif tag == "row":
            reference = attributes.get("r")
            self._row = self._row + 1 if reference is None else _row_number(reference)
            self._column = 0

    def _start_cell(self, attributes: Attributes) -> None:
        self._cells += 1
        if self._cells > self._limit:
            raise UnreadableFile("too_many_cells", str(self._limit))
        if "r" in attributes:
            reference = attributes["r"]
            letters = reference.rstrip("0123456789")
            self._column = _column_number(letters)
            self._row = _row_number(reference[len(letters) :])
        else:
            # A cell without a position follows the previous one.
            self._column += 1
            if self._column > MAX_COLUMN:
                raise UnreadableFile("cell_out_of_range")
        self._shows_error = False
        if "t" in attributes and attributes["t"] == "e":
            self._shows_error = True
            self.errors.setdefault(self._row, {})[self._column - 1] = UNKNOWN_ERROR

    def _start_value(self) -> None:
        """Extend the used rectangle by this cell; a cell with only a format does not count."""
        self._width = max(self._width, self._column)
        self._height = max(self._height, self._row)
        if self._width * self._height > self._limit:
            raise UnreadableFile("too_many_cells", str(self._limit))
        if self._shows_error and self._parser is not None:
            self._shows_error = False
            text: list[str] = []
            self._parser.CharacterDataHandler = text.append
            self._parser.EndElementHandler = lambda _tag: self._end_error(text)

    def _end_error(self, text: list[str]) -> None:
        if self._parser is not None:
            self._parser.CharacterDataHandler = None
            self._parser.EndElementHandler = None
        self.errors[self._row][self._column - 1] = "".join(text)[:MAX_ERROR_LENGTH] or UNKNOWN_ERROR


def check_strings(package: Package, limits: Limits) -> Iterator[None]:
    """Count the shared strings of a workbook; yield after each piece. Raises ``UnreadableFile`` (``too_many_strings``)."""
    info = package.members.get("xl/sharedstrings.xml")
    if info is None:
        return
    left = limits.strings

    def start(tag: str, _attributes: Attributes) -> None:
        nonlocal left
        if local_name(tag) == "si":
            left -= 1
            if left < 0:
                raise UnreadableFile("too_many_strings", str(limits.strings))

    yield from parse_xml(package.read(info), start)


def _row_number(digits: str) -> int:
    # No other form is a number in all spreadsheet programs.
    if digits.isascii() and digits.isdigit() and len(digits) <= 7 and 0 < (number := int(digits)) <= MAX_ROW:
        return number
    raise UnreadableFile("cell_out_of_range", digits[:MAX_ERROR_LENGTH])


@lru_cache(maxsize=1_024)
def _column_number(letters: str) -> int:
    number = 0
    if letters.isascii() and letters.isalpha() and len(letters) <= 3:
        for letter in letters.upper():
            number = number * 26 + ord(letter) - ord("A") + 1
    if 0 < number <= MAX_COLUMN:
        return number
    raise UnreadableFile("cell_out_of_range", letters[:MAX_ERROR_LENGTH])


class WorkbookReader:
    """A sheet of a workbook, the first one if none is named.

    Call ``check`` before ``open``, which loads the whole sheet into memory, and ``batches`` after it.
    """

    def __init__(self, content: bytes, sheet: str | None, limits: Limits) -> None:
        """Read the index of the package. Raises ``UnreadableFile``, also with ``no_such_sheet``."""
        self._content = content
        self._limits = limits
        self._package: Package = open_package(content, limits)
        names = list(self._package.sheets)
        if sheet is None and names:
            sheet = names[0]
        if sheet is None or sheet not in names:
            raise UnreadableFile("no_such_sheet", ", ".join(names))
        self.sheet: str = sheet
        self.errors: ErrorCells = {}

    def check(self) -> Iterator[None]:
        """Check that the sheet fits into memory; yield now and then. Raises ``UnreadableFile``."""
        yield from check_strings(self._package, self._limits)
        check = SheetCheck(self._limits)
        yield from check.run(self._package, self._package.sheets[self.sheet])
        self.errors = check.errors
        yield from self._package.check_rest()

    def batches(self, size: int) -> Iterator[list[list[str]]]:
        """Yield the rows of the sheet from the first one, ``size`` at a time. Raises ``UnreadableFile``."""
        try:
            with CalamineWorkbook.from_filelike(io.BytesIO(self._content)) as workbook:
                if self.sheet not in workbook.sheet_names:
                    raise UnreadableFile("damaged")
                cells = workbook.get_sheet_by_name(self.sheet)
        except PasswordError as error:
            raise UnreadableFile("password") from error
        except (CalamineError, ValueError, OSError) as error:
            raise UnreadableFile("damaged") from error
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
    """Return the text that a user would type for the value: a spreadsheet's 12.0 is 12."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
