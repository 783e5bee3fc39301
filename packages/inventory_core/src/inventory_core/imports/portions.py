"""Rows become checked lines: column by column while nothing is wrong, which is most often, or else row by row."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import TypeVar

from inventory_core.errors import Fault
from inventory_core.imports.frames import Rows
from inventory_core.imports.results import FaultLog
from inventory_core.imports.row_rules import (
    LONGEST_PLAIN_NUMBER,
    Line,
    line_reader,
    optional_location,
    read_category,
    read_location,
    read_retired,
    read_whole,
)
from inventory_core.imports.table import Table
from inventory_core.rules.products import LONGEST_DESCRIPTION, LONGEST_NAME
from inventory_core.rules.texts import MAX_CODE_LENGTH, MAX_KEY_LENGTH, code_key, normalize_line, normalize_text

T = TypeVar("T")
Cells = Sequence[str]
Checked = Iterable[object]

# As Line._make does it, but without a call of Python for each line.
_line: Callable[[Iterable[object]], Line] = partial(tuple.__new__, Line)


class _Faulty(Exception):
    """Something may be wrong in a column: each row has to be looked at."""


class PortionReader:
    """Checks the rows of a table, some at a time; notes every fault in ``log``."""

    def __init__(self, table: Table, log: FaultLog) -> None:
        self._read_row = line_reader(table, log)
        self._width = len(table.headers)
        self._places = table.places
        location = optional_location if table.kind == "products" else read_location
        # In the order of the fields of a line.
        self._rules: tuple[tuple[str, Callable[[Cells], Checked]], ...] = (
            ("name", partial(_texts, longest=LONGEST_NAME)),
            ("description", _descriptions),
            ("category", partial(_few, read_category)),
            ("location", partial(_few, location)),
            ("quantity", partial(_wholes, "quantity")),
            ("minimum", partial(_wholes, "minimum")),
            ("retired", partial(_few, read_retired)),
        )

    def read(self, rows: Rows) -> list[Line]:
        """The lines of these rows, without those whose code breaks the rules."""
        numbers, records, errors = rows
        if not errors and set(map(len, records)) == {self._width}:
            try:
                return self._read_columns(numbers, list(zip(*records, strict=True)))
            except _Faulty:
                pass
        lines = (self._read_row(row, cells, errors.get(row, {})) for row, cells in zip(numbers, records, strict=True))
        return [line for line in lines if line is not None]

    def _read_columns(self, numbers: Sequence[int], columns: Sequence[Cells]) -> list[Line]:
        codes = _texts(columns[self._places["code"]], longest=MAX_CODE_LENGTH)
        checked = (
            rule(columns[self._places[field]]) if field in self._places else repeat(None) for field, rule in self._rules
        )
        return list(map(_line, zip(numbers, codes, _keys(codes), *checked, repeat(False))))


def _texts(cells: Cells, *, longest: int) -> Cells:
    """Texts of one line that nobody may leave out."""
    texts = cells if _are_clean(cells) else tuple(map(normalize_line, cells))
    if all(texts) and _longest(texts) <= longest and "".join(texts).isprintable():
        return texts
    raise _Faulty


def _descriptions(cells: Cells) -> Cells:
    texts = cells if _are_clean(cells) else tuple(map(normalize_text, cells))
    if _longest(texts) <= LONGEST_DESCRIPTION and "".join(texts).replace("\n", "").isprintable():
        return texts
    raise _Faulty


def _are_clean(cells: Cells) -> bool:
    """True if ``normalize_line`` leaves every text as it is; the only white space that is printable is the blank."""
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
    """The values of a column in which the same few texts stand again and again."""
    values = {}
    for text in set(cells):
        values[text], faults = read(text)
        if faults:
            raise _Faulty
    return map(values.__getitem__, cells)


def _wholes(field: str, cells: Cells) -> Iterable[int | None]:
    joined = "".join(cells)
    if joined.isascii() and joined.isdigit() and all(cells) and _longest(cells) <= LONGEST_PLAIN_NUMBER:
        return map(int, cells)
    return _few(partial(read_whole, field), cells)


def _longest(texts: Cells) -> int:
    return max(map(len, texts))
