"""What the README says agrees with the package; what it shows without a server runs."""

import re

import inventory_replication
from inventory_replication.decisions.snapshot import Mode
from tests.replication.embedding.shown import SETTINGS_OF, TEXT, blocks, metrics_told, rows, section, settings_of

EXECUTED = {
    ("Provision the servers", "sh"): 2,
    ("A plain SQLAlchemy application", "python"): 1,
    ("A plain Flask application", "python"): 1,
    ("A plain Flask application", "sh"): 1,
}
"""How many blocks of code are run by the tests of this folder, by heading and language."""


def test_every_block_of_code_is_run_by_a_test() -> None:
    assert TEXT.count("\n```") == 2 * sum(EXECUTED.values())
    assert {place: len(blocks(*place)) for place in EXECUTED} == EXECUTED


def test_the_programs_use_no_other_package_of_the_repository() -> None:
    programs = "\n".join(block for place in EXECUTED for block in blocks(*place))

    assert re.findall(r"inventory_(?:core|web)|sqlmodel", programs) == []


def test_every_setting_is_listed_with_its_default() -> None:
    listed = {name: fields for name, _, fields in rows("Settings")}

    assert listed == {f"`{kind.__name__}`": settings_of(kind) for kind in SETTINGS_OF}


def test_every_metric_is_listed_with_its_meaning() -> None:
    assert rows("Operating") == [(f"`{name}`", kind, meaning) for name, kind, meaning in metrics_told()]


def test_every_mode_is_explained() -> None:
    assert [mode for mode, *_ in rows("Modes")] == [f"`{mode}`" for mode in Mode]


def test_every_error_that_is_named_is_one() -> None:
    named = re.findall(r"`([A-Z]\w+)`", section("Errors").partition("\n| ")[2].partition("\n\n")[0])

    kinds = [getattr(inventory_replication, name) for name in named]
    assert len(named) >= 9
    assert [kind for kind in kinds if not issubclass(kind, inventory_replication.ReplicationError)] == []


def test_every_public_value_that_is_set_is_public() -> None:
    assert {kind.__name__ for kind in SETTINGS_OF} <= set(inventory_replication.__all__)
