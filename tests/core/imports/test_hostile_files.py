import io
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory_core import FileRefused, read_table
from inventory_core.importing import protocol
from inventory_core.importing.protocol import Limits
from tests.core.imports import hostile_files as hostile
from tests.core.imports.files import csv_bytes, table_of

MAX_SECONDS = 5
SMALL: dict[str, tuple[Callable[[], bytes], str]] = {
    "far cell": (hostile.far_cell, "too_many_cells"),
    "two sheets of one name": (hostile.two_sheets_of_one_name, "doubled_sheet"),
    "nested cells": (hostile.nested_cells, "damaged"),
    "document type": (hostile.document_type, "damaged"),
    "entities": (hostile.entities, "damaged"),
    "long comment": (hostile.long_comment, "damaged"),
}
LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "shared strings": (hostile.shared_strings, "too_many_strings"),
    "cells without position": (hostile.cells_without_position, "too_many_cells"),
    "row of delimiters": (hostile.row_of_delimiters, "long_row"),
    "endless tag": (hostile.endless_tag, "damaged"),
}


def refusal(content: bytes, limits: Limits | None = None) -> tuple[str, str]:
    with pytest.raises(FileRefused) as caught:
        read_table(io.BytesIO(content), filename="file", limits=limits or Limits())
    return caught.value.reason, caught.value.detail


def processor_seconds() -> float:
    """What this process and those that it started have used, which a busy machine does not change."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_a_hostile_file_is_refused_in_time(name: str) -> None:
    make, reason = (SMALL | LARGE)[name]
    content = make()
    began = processor_seconds()

    assert refusal(content)[0] == reason
    assert processor_seconds() - began < MAX_SECONDS


def test_shared_strings_are_counted() -> None:
    assert refusal(hostile.shared_strings(1_001), Limits(strings=1_000)) == ("too_many_strings", "1000")


def test_cells_without_position_are_counted() -> None:
    for cell in (b"<c><v>1</v></c>", b'<c s="1"/>'):
        content = hostile.cells_without_position(200_000, cell)

        assert refusal(content, Limits(sheet_cells=199_999)) == ("too_many_cells", "199999")


@pytest.mark.parametrize("place", ["XFE1", "A1048577", "A0", "1", "A", "AAAA1", "A-1", "Á1", "A\u0661"])
def test_a_cell_out_of_range_is_refused(place: str) -> None:
    content = hostile.workbook_with({hostile.SHEET: hostile.sheet_of(f'<c r="{place}"><v>1</v></c>'.encode())})

    assert refusal(content)[0] == "cell_out_of_range"


def test_a_cell_that_has_only_a_format_does_not_make_a_sheet_large() -> None:
    row = b'<c r="A1" t="inlineStr"><is><t>code</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c>'
    content = hostile.workbook_with({hostile.SHEET: hostile.sheet_of(row + b'<c r="XFD1048576" s="1"/>')})

    assert table_of(content).headers == ("code", "name")


def test_cells_of_a_csv_file_are_counted() -> None:
    rows = csv_bytes([["code", "name"], *([f"A-{number}", "x"] for number in range(5))])

    assert refusal(rows, Limits(cells=11)) == ("too_many_cells", "11")
    assert refusal(b"code,name\n" + b"," * 30, Limits(row_cells=30)) == ("too_many_columns", "30")


def test_rows_beyond_what_may_be_stored_are_refused() -> None:
    rows = csv_bytes([["code", "name"], *([f"A-{number}", "x" * 100] for number in range(50))])

    assert refusal(rows, Limits(stored=4_000)) == ("too_demanding", "storage")


def test_a_reader_that_needs_more_memory_is_ended_once() -> None:
    """The library that reads sheets aborts its process where it gets no memory."""
    assert refusal(hostile.repeated_string(), Limits(memory=160 << 20)) == ("too_demanding", "memory")


def test_a_reader_that_needs_more_time_is_ended_once() -> None:
    assert refusal(hostile.row_of_delimiters(1_000), Limits(seconds=0.001)) == ("too_demanding", "time")


@pytest.mark.parametrize(
    ("given", "memory"),
    [("805306368\n", 322_122_547), ("max\n", 512 << 20), ("9223372036854771712\n", 512 << 20), (None, 512 << 20)],
)
def test_default_memory_is_a_share_of_what_a_container_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None, memory: int
) -> None:
    path = tmp_path / "memory.max"
    if given is not None:
        path.write_text(given, "ascii")
    monkeypatch.setattr(protocol, "_CGROUP_LIMITS", (path,))

    assert protocol.default_memory() == memory


def test_default_memory_bounds_the_shipped_import() -> None:
    assert protocol.IMPORT_LIMITS.memory == protocol.default_memory()
