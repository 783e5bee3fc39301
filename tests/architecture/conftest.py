"""The syntax trees of all files are kept for the tests of this folder, and for no longer."""

from collections.abc import Iterator

import pytest

from tests.architecture import repository


@pytest.fixture(scope="module", autouse=True)
def _trees_are_dropped() -> Iterator[None]:
    """Half a million objects would slow every later collection of garbage."""
    yield
    repository.nodes.cache_clear()
    repository.tree.cache_clear()
