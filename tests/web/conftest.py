"""Applications from the factory over a real, migrated SQLite file of each test's own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from inventory_core import Inventory, SingleDatabase
from inventory_web import Settings, create_app
from inventory_web.areas.accounts.users import add_account
from inventory_web.roles import Role
from inventory_web.schema import upgrade_all
from tests.web.browser import PASSWORD

ACCOUNTS = {"olga": Role.OPERATOR, "vera": Role.VIEWER, "ada": Role.ADMIN}
SECRET = SecretStr("a key of tests, long and random 0123456789")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "web.db"
    sessions = SingleDatabase.from_file(path)
    upgrade_all(sessions.engine)
    for name, role in ACCOUNTS.items():
        add_account(Inventory(sessions), name=name, role=role, password=PASSWORD)
    sessions.close()
    return path


@pytest.fixture
def file(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "web.db"))


@pytest.fixture
def sessions(file: Path) -> Iterator[SingleDatabase]:
    opened = SingleDatabase.from_file(file)
    yield opened
    opened.close()


@pytest.fixture
def inventory(sessions: SingleDatabase) -> Inventory:
    return Inventory(sessions)


@pytest.fixture
def make_app(sessions: SingleDatabase) -> Callable[..., Flask]:
    """Make an application over the test's database; more than one are instances side by side."""

    def make(*plugins: object, **settings: Any) -> Flask:
        given = {"secret_key": SECRET, "database_url": "sqlite:///unused.db", **settings}
        return create_app(Settings(**given), sessions=sessions, plugins=plugins)

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()
