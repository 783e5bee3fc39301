"""Every code of replication is documented with cause and cure."""

import re
from pathlib import Path

import pytest

from inventory_replication.errors import ALL_ERRORS, ReplicationError

TEXT = (Path(__file__).parents[2] / "docs" / "replication-errors.md").read_text("utf-8")


def test_every_error_is_documented_under_its_code_and_nothing_else_is() -> None:
    documented = re.findall(r"^## (REP-\d{3}) (\w+)$", TEXT, flags=re.MULTILINE)

    assert documented == [(error.code, error.__name__) for error in ALL_ERRORS]


@pytest.mark.parametrize("error", ALL_ERRORS)
def test_a_documented_error_reports_cause_and_cure(error: type[ReplicationError]) -> None:
    section = re.split(r"^## ", TEXT.partition(f"## {error.code} ")[2], maxsplit=1, flags=re.MULTILINE)[0]

    assert "**Cause.** " in section
    assert "**Cure.** " in section
    assert error.__doc__
