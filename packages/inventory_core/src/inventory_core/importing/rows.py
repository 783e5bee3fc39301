"""Parse the cells of rows into checked values, or faults."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Generic, NamedTuple, TypeVar

from inventory_core.errors import Fault
from inventory_core.importing.protocol import Rows
from inventory_core.importing.reader import Table
from inventory_core.importing.results import FaultCollector
from inventory_core.rules.products import MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, category_faults, location_faults
from inventory_core.rules.stock import parse_quantity
from inventory_core.rules.texts import (
    MAX_CODE_LENGTH,
    MAX_KEY_LENGTH,
    code_faults,
    code_key,
    fold,
    normalize_line,
    normalize_text,
    sort_key,
    text_faults,
)

YES = frozenset({"si", "s", "yes", "y", "true", "verdadero", "1", "x"})
NO = frozenset({"no", "n", "false", "falso", "0"})
MAX_CACHED_CELLS = 10_000
MAX_PLAIN_DIGITS = 9
"""A number with at most this many digits is within the limit of a quantity."""

T = TypeVar("T")
ErrorTexts = Mapping[int, str]
"""The texts of error cells in a row, by column."""
Cells = Sequence[str]
Checked = Iterable[object]


class NameKey(NamedTuple):
    """A category or location: the folded name that decides which one it is, and the name as typed."""

    key: str
    name: str


WITHOUT = NameKey("", "")
"""No category."""


class ParsedRow(NamedTuple):
    """The checked values of a row; None keeps the stored value (for a new product: nothing, or 0).

    Of a ``faulty`` row only the code is valid; it is used to find further faults of the row.
    """

    row: int
    code: str
    key: str
    name: str | None
    description: str | None
    category: NameKey | None
    location: NameKey | None
    quantity: int | None
    minimum: int | None
    retired: bool | None
    faulty: bool


LineReader = Callable[[int, Sequence[str], ErrorTexts], ParsedRow | None]


def line_reader(table: Table, log: FaultCollector) -> LineReader:
    """Create the function that checks the rows of a table; it records every fault of a row in ``log``.

    The function returns None for a row with an invalid code.
    """
    code_at, name_at, description_at, category_at, location_at, quantity_at, minimum_at, retired_at = (
        table.places.get(field, -1)
        for field in ("code", "name", "description", "category", "location", "quantity", "minimum", "retired")
    )
    width = len(table.headers)
    categories = _CellCache(read_category, log)
    locations = _CellCache(optional_location if table.kind == "products" else read_location, log)
    states = _CellCache(read_retired, log)

    def read(row: int, raw: Sequence[str], errors: ErrorTexts) -> ParsedRow | None:
        earlier = log.total
        if errors:
            _note_errors(row, errors, table, log)
        cells = raw if len(raw) == width else _fit(row, raw, width, log)
        code = normalize_line(cells[code_at])
        without_code = False
        if not (code.isascii() and code.isprintable() and 0 < len(code) <= MAX_CODE_LENGTH):
            faults = code_faults(code)
            log.take(row, faults)
            without_code = bool(faults)
        name = description = None
        if name_at >= 0:
            name = normalize_line(cells[name_at])
            if not (name.isprintable() and 0 < len(name) <= MAX_NAME_LENGTH):
                log.take(row, text_faults("name", name, longest=MAX_NAME_LENGTH, required=True))
        if description_at >= 0:
            description = normalize_text(cells[description_at])
            if not (description.isprintable() and len(description) <= MAX_DESCRIPTION_LENGTH):
                faults = text_faults("description", description, longest=MAX_DESCRIPTION_LENGTH, invisible_allowed=True)
                log.take(row, faults)
        line = ParsedRow(
            row,
            code,
            code_key(code),
            name,
            description,
            categories.read(row, cells[category_at]) if category_at >= 0 else None,
            locations.read(row, cells[location_at]) if location_at >= 0 else None,
            _whole(row, "quantity", cells[quantity_at], log) if quantity_at >= 0 else None,
            _whole(row, "minimum", cells[minimum_at], log) if minimum_at >= 0 else None,
            states.read(row, cells[retired_at]) if retired_at >= 0 else None,
            False,
        )
        if log.total == earlier:
            return line
        return None if without_code else line._replace(faulty=True)

    return read


class _CellCache(Generic[T]):
    """Caches the values of a column with few distinct texts, so that each is checked once."""

    def __init__(self, check: Callable[[str], tuple[T, list[Fault]]], log: FaultCollector) -> None:
        self._check = check
        self._log = log
        self._good: dict[str, T] = {}

    def read(self, row: int, text: str) -> T:
        """Return the value of a cell; records its faults."""
        if text in self._good:
            return self._good[text]
        value, faults = self._check(text)
        if faults:
            self._log.take(row, faults)
        elif len(self._good) < MAX_CACHED_CELLS:
            self._good[text] = value
        return value


def read_whole(field: str, text: str) -> tuple[int | None, list[Fault]]:
    """Return the whole number in a cell; None if it is empty."""
    if len(text) <= MAX_PLAIN_DIGITS and text.isascii() and text.isdigit():
        return int(text), []
    return parse_quantity(field, text) if text.strip() else (None, [])


def _whole(row: int, field: str, text: str, log: FaultCollector) -> int | None:
    number, faults = read_whole(field, text)
    log.take(row, faults)
    return number


def read_category(text: str) -> tuple[NameKey, list[Fault]]:
    """Return the category in a cell; ``WITHOUT`` if it is empty."""
    name = normalize_line(text)
    return (NameKey(sort_key(name), name), category_faults(name)) if name else (WITHOUT, [])


def read_location(text: str) -> tuple[NameKey | None, list[Fault]]:
    """Return the location in a cell."""
    name = normalize_line(text)
    return NameKey(sort_key(name), name), location_faults(name)


def optional_location(text: str) -> tuple[NameKey | None, list[Fault]]:
    """Return the location in a cell; None if it is empty."""
    return read_location(text) if text.strip() else (None, [])


def read_retired(text: str) -> tuple[bool | None, list[Fault]]:
    """Return the state in a cell: true for a retired product, None if the cell is empty."""
    folded = fold(normalize_line(text))
    if folded in YES or folded in NO:
        return folded in YES, []
    return None, [Fault("retired", "unknown", text)] if folded else []


def _fit(row: int, cells: Sequence[str], width: int, log: FaultCollector) -> Sequence[str]:
    """Fit a row to the header: pad a short row, and record cells beyond the header."""
    if len(cells) < width:
        return [*cells, *[""] * (width - len(cells))]
    if beyond := next((cell for cell in cells[width:] if cell.strip()), None):
        log.add(row, "", beyond, "too_many_cells", width)
    return cells


def _note_errors(row: int, errors: ErrorTexts, table: Table, log: FaultCollector) -> None:
    fields = {place: field for field, place in table.places.items()}
    for place, shown in errors.items():
        if place in fields:
            log.add(row, fields[place], shown, "error_cell")


# Like ParsedRow._make, but without a Python call for each row.
_line: Callable[[Iterable[object]], ParsedRow] = partial(tuple.__new__, ParsedRow)


class _Faulty(Exception):
    """A column may have faults: check each row separately."""


class BatchParser:
    """Checks the rows of a table in batches; records every fault in ``log``."""

    def __init__(self, table: Table, log: FaultCollector) -> None:
        self._read_row = line_reader(table, log)
        self._width = len(table.headers)
        self._places = table.places
        location = optional_location if table.kind == "products" else read_location
        # In the order of the fields of a line.
        self._rules: tuple[tuple[str, Callable[[Cells], Checked]], ...] = (
            ("name", partial(_texts, longest=MAX_NAME_LENGTH)),
            ("description", _descriptions),
            ("category", partial(_few, read_category)),
            ("location", partial(_few, location)),
            ("quantity", partial(_wholes, "quantity")),
            ("minimum", partial(_wholes, "minimum")),
            ("retired", partial(_few, read_retired)),
        )

    def read(self, rows: Rows) -> list[ParsedRow]:
        """Return the rows, without those with an invalid code."""
        numbers, records, errors = rows
        if not errors and set(map(len, records)) == {self._width}:
            try:
                return self._read_columns(numbers, list(zip(*records, strict=True)))
            except _Faulty:
                pass
        lines = (self._read_row(row, cells, errors.get(row, {})) for row, cells in zip(numbers, records, strict=True))
        return [line for line in lines if line is not None]

    def _read_columns(self, numbers: Sequence[int], columns: Sequence[Cells]) -> list[ParsedRow]:
        codes = _texts(columns[self._places["code"]], longest=MAX_CODE_LENGTH)
        checked = (
            rule(columns[self._places[field]]) if field in self._places else repeat(None) for field, rule in self._rules
        )
        return list(map(_line, zip(numbers, codes, _keys(codes), *checked, repeat(False))))


def _texts(cells: Cells, *, longest: int) -> Cells:
    """Return the required single-line texts of a column."""
    texts = cells if _are_clean(cells) else tuple(map(normalize_line, cells))
    if all(texts) and _longest(texts) <= longest and "".join(texts).isprintable():
        return texts
    raise _Faulty


def _descriptions(cells: Cells) -> Cells:
    texts = cells if _are_clean(cells) else tuple(map(normalize_text, cells))
    if _longest(texts) <= MAX_DESCRIPTION_LENGTH and "".join(texts).replace("\n", "").isprintable():
        return texts
    raise _Faulty


def _are_clean(cells: Cells) -> bool:
    """Return whether ``normalize_line`` changes no text; the only printable white space is the blank."""
    lines = "\n".join(["", *cells, ""])
    return (
        "".join(cells).isprintable()
        and not ("  " in lines or "\n " in lines or " \n" in lines)
        and unicodedata.is_normalized("NFC", lines)
    )


def _keys(codes: Cells) -> Cells:
    joined = "\n".join(codes)
    if joined.isascii():
        return joined.lower().split("\n")
    keys = tuple(map(code_key, codes))
    if _longest(keys) > MAX_KEY_LENGTH:
        raise _Faulty
    return keys


def _few(read: Callable[[str], tuple[T, list[Fault]]], cells: Cells) -> Iterable[T]:
    """Return the values of a column with few distinct texts."""
    values = {}
    for text in set(cells):
        values[text], faults = read(text)
        if faults:
            raise _Faulty
    return map(values.__getitem__, cells)


def _wholes(field: str, cells: Cells) -> Iterable[int | None]:
    joined = "".join(cells)
    if joined.isascii() and joined.isdigit() and all(cells) and _longest(cells) <= MAX_PLAIN_DIGITS:
        return map(int, cells)
    return _few(partial(read_whole, field), cells)


def _longest(texts: Cells) -> int:
    return max(map(len, texts))
