from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from inventory_core import Table
from inventory_core.importing.file_parser import parse_file
from inventory_core.importing.protocol import IMPORT_LIMITS
from inventory_core.importing.reader import build_table
from inventory_core.importing.results import FaultCollector, RowFault
from inventory_core.importing.rows import BatchParser, ParsedRow, line_reader
from tests.core.imports.files import csv_bytes

HEADER = ["code", "name", "description", "category", "location", "quantity", "minimum", "retired"]
CLEAN = ["A-1", "Lámpara de mesa", "LED; cálida", "Hogar", "Taller", "12", "3", "no"]
TEXTS = st.one_of(
    st.sampled_from(
        [
            "", " ", " á ", "dos  blancos", "a\tb", "e\u0301", "ﬁ", "\u200b", "una\nlínea", "\u00a0x", "-", "x" * 65,
            "y" * 201, "z" * 2001, "İ" * 64, "\u0345" * 40, "sí", "07", "-1", "12.0", "1000000001", "9999999999",
        ]
    ),
    st.text(alphabet="aB1 ñ\u00ad\n\u0301ß½", max_size=6),
    st.integers(-2, 2_000_000_000).map(str),
)  # fmt: skip


def parsed(rows: Sequence[Sequence[str]]) -> Table:
    """The rows of a CSV file, read in this process, which is faster than one for each example."""
    frames = parse_file(csv_bytes(rows), "file.csv", None, IMPORT_LIMITS)
    return build_table(frames, digest="", limits=IMPORT_LIMITS)


def row_by_row(rows: Sequence[Sequence[str]]) -> tuple[list[ParsedRow], tuple[RowFault, ...]]:
    log = FaultCollector({})
    table = parsed(rows)
    read = line_reader(table, log)
    lines = [read(row, cells, {}) for row, cells in table.rows()]
    return [line for line in lines if line is not None], log.first


def by_column(rows: Sequence[Sequence[str]]) -> tuple[list[ParsedRow], tuple[RowFault, ...]]:
    log = FaultCollector({})
    table = parsed(rows)
    reader = BatchParser(table, log)
    return [line for batch in table.batches for line in reader.read(batch)], log.first


@given(
    st.lists(
        st.tuples(st.integers(0, len(CLEAN) - 1), TEXTS).map(
            lambda other: [other[1] if place == other[0] else text for place, text in enumerate(CLEAN)]
        ),
        min_size=1,
        max_size=3,
    )
)
def test_columns_and_rows_are_checked_alike(rows: list[list[str]]) -> None:
    assert by_column([HEADER, CLEAN, *rows]) == row_by_row([HEADER, CLEAN, *rows])


@given(st.lists(st.lists(TEXTS, max_size=3), max_size=4))
def test_rows_of_any_width_are_checked_alike(rows: list[list[str]]) -> None:
    assert by_column([HEADER[:2], *rows]) == row_by_row([HEADER[:2], *rows])
