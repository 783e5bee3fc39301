"""A site for each test; the database is migrated and its accounts are made once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from inventory_core import Inventory, SingleDatabase
from inventory_web.app import create_app
from inventory_web.areas.accounts.users import add_account
from inventory_web.roles import Role
from inventory_web.schema import upgrade_all
from inventory_web.settings import Settings
from tests.web.areas.site import PASSWORD, Site, Visitor

ACCOUNTS = {"olga": Role.OPERATOR, "vera": Role.VIEWER, "ada": Role.ADMIN}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "stock.db"
    sessions = SingleDatabase.from_url(f"sqlite:///{path}")
    upgrade_all(sessions.engine)
    for name, role in ACCOUNTS.items():
        add_account(Inventory(sessions), name=name, role=role, password=PASSWORD)
    sessions.close()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "stock.db"))


@pytest.fixture
def make_site(database: Path) -> Iterator[Callable[..., Site]]:
    """Make a site over the test's database; more than one are instances side by side."""
    opened: list[SingleDatabase] = []

    def make(*plugins: object, **settings: Any) -> Site:
        sessions = SingleDatabase.from_url(f"sqlite:///{database}")
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
