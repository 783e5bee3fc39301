"""What a package offers is written down, exists, and can be imported by its name."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.repository import PACKAGES, ROOT


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


def test_a_package_lists_each_public_name_once_and_has_it(package: ModuleType) -> None:
    names = package.__all__

    assert names
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(package, name)] == []


def test_a_package_says_what_it_is_and_that_it_is_typed(package: ModuleType) -> None:
    assert package.__doc__
    assert Path(str(package.__file__)).with_name("py.typed").is_file()
    assert (ROOT / "packages" / package.__name__ / "README.md").is_file()
