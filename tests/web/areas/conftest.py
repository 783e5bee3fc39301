"""A site for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from inventory_core import SingleDatabase
from inventory_web.app import create_app
from inventory_web.settings import Settings
from tests.web.areas.site import Site, Visitor


@pytest.fixture
def make_site(file: Path) -> Iterator[Callable[..., Site]]:
    """Make a site over the test's database; more than one are instances side by side."""
    opened: list[SingleDatabase] = []

    def make(*plugins: object, **settings: Any) -> Site:
        sessions = SingleDatabase.from_file(file)
        opened.append(sessions)
        app = create_app(
            Settings(secret_key=SecretStr("a key of tests, long and random 0123456789"), **settings),
            sessions=sessions,
            plugins=plugins,
        )
        return Site(app, Visitor(app, "olga"))

    yield make
    for sessions in opened:
        sessions.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture
def viewer(site: Site) -> Visitor:
    return site.visitor("vera")
