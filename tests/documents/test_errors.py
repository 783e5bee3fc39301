"""docs/errors.md lists every error code of the core with cause and cure."""

import inspect
import re
from pathlib import Path

import pytest

from inventory_core import InventoryError, errors

TEXT = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
ERRORS = {
    error.code: name
    for name, error in vars(errors).items()
    if inspect.isclass(error) and issubclass(error, InventoryError) and error is not InventoryError
}
DOCUMENTED = dict(re.findall(r"^## (INV-\d{3}) (\w+)$", TEXT, flags=re.MULTILINE))


def test_error_codes_are_all_documented() -> None:
    assert DOCUMENTED == ERRORS


def test_error_codes_are_unique() -> None:
    classes = [error for error in vars(errors).values() if inspect.isclass(error) and issubclass(error, InventoryError)]

    assert len({error.code for error in classes}) == len(classes)


@pytest.mark.parametrize("code", ERRORS)
def test_error_section_has_cause_and_cure(code: str) -> None:
    section = re.split(r"^## ", TEXT.partition(f"## {code} ")[2], maxsplit=1, flags=re.MULTILINE)[0]

    assert "**Cause.** " in section
    assert "**Cure.** " in section


@pytest.mark.parametrize("code", ERRORS)
def test_error_class_has_a_docstring_and_is_public(code: str) -> None:
    error = getattr(errors, ERRORS[code])

    assert error.__doc__
    assert error.__module__ == "inventory_core.errors"
