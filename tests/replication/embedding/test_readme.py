"""What the README says agrees with the package; what it shows without a server runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import inventory_replication
from inventory_replication import errors
from inventory_replication.decisions.members import Mode
from tests.replication.embedding.shown import SETTINGS_OF, TEXT, blocks, metrics_told, rows, section, settings_of

EXECUTED = {
    ("Provision the servers", "sh"): 2,
    ("A plain SQLAlchemy application", "python"): 1,
    ("A plain Flask application", "python"): 1,
    ("A plain Flask application", "sh"): 1,
    ("With no replica", "python"): 1,
}
"""How many blocks of code are run by the tests of this folder, by heading and language."""


def test_every_block_of_code_is_run_by_a_test() -> None:
    assert TEXT.count("\n```") == 2 * sum(EXECUTED.values())
    assert {place: len(blocks(*place)) for place in EXECUTED} == EXECUTED


def test_the_programs_use_no_other_package_of_the_repository() -> None:
    programs = "\n".join(block for place in EXECUTED for block in blocks(*place))

    assert re.findall(r"inventory_(?:core|web)|sqlmodel", programs) == []


@pytest.mark.slow
def test_the_program_with_no_replica_prints_what_the_text_says(tmp_path: Path) -> None:
    (program,) = blocks("With no replica", "python")
    (said,) = re.findall(r"It prints `([^`]+)`", section("With no replica"))
    command = [sys.executable, "-W", "error", "-X", "utf8", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)

    assert (done.stderr, done.stdout) == ("", f"{said}\n")


def test_every_setting_is_listed_with_its_default() -> None:
    listed = {name: fields for name, _, fields in rows("Settings")}

    assert listed == {f"`{kind.__name__}`": settings_of(kind) for kind in SETTINGS_OF}


def test_every_metric_is_listed_with_its_meaning() -> None:
    assert rows("Operating") == [(f"`{name}`", kind, meaning) for name, kind, meaning in metrics_told()]


def test_every_mode_is_explained() -> None:
    assert [mode for mode, *_ in rows("Modes")] == [f"`{mode}`" for mode in Mode]


def test_every_error_that_is_named_is_one() -> None:
    named = re.findall(r"`([A-Z]\w+)`", section("Errors").partition("\n| ")[2].partition("\n\n")[0])

    assert len(named) >= 9
    assert [name for name in named if not issubclass(getattr(errors, name), errors.ReplicationError)] == []


def test_every_public_value_that_is_set_is_public() -> None:
    assert {kind.__name__ for kind in SETTINGS_OF} <= set(inventory_replication.__all__)
