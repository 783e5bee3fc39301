"""Each fault of the document has the tests that it names."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCUMENT = (Path(__file__).parents[3] / "docs" / "replication-faults.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", DOCUMENT)))
ROWS = re.findall(r"^\| (\d+) \| (.+) \|$", DOCUMENT, flags=re.MULTILINE)
HELD = {1, 2, 3, 4, 6, 7, *range(9, 19), 20}


def test_every_fault_has_a_row_and_every_row_names_a_test() -> None:
    assert {int(number) for number, _ in ROWS} == HELD
    assert [row for _, row in ROWS if "::test_" not in row] == []


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (TESTS / path).read_text("utf-8"), flags=re.MULTILINE)
