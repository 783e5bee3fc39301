"""Applications from the factory over a real, migrated SQLite file of each test's own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from pydantic import SecretStr

from inventory_core import Inventory, SingleDatabase
from inventory_web import Settings, create_app
from inventory_web.auth.users import add_account
from inventory_web.db.schema import upgrade_all
from inventory_web.jobs import runner
from inventory_web.roles import Role
from tests.web.app_pool import LentApplications
from tests.web.browser import PASSWORD
from tests.web.process import passwords_are_hashed_fast, shipped_hashes, templates_are_compiled_once

__all__ = ["passwords_are_hashed_fast", "shipped_hashes", "templates_are_compiled_once"]

ACCOUNTS = {"olga": Role.OPERATOR, "vera": Role.VIEWER, "ada": Role.ADMIN}
SECRET = SecretStr("a key of tests, long and random 0123456789")
GIVEN: dict[str, Any] = {"secret_key": SECRET, "database_url": "sqlite:///unused.db"}


@pytest.fixture(scope="session", autouse=True)
def _tracebacks_are_plain() -> Iterator[None]:
    """Where Rich is installed, structlog has it colour whole pages of source for each fault that a test provokes."""
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with an account of each role; copied for each test."""
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


@pytest.fixture(scope="session")
def lent_applications() -> LentApplications:
    return LentApplications()


@pytest.fixture
def lend_app(sessions: SingleDatabase, lent_applications: LentApplications) -> Iterator[Callable[..., Flask]]:
    """Lend an application with these settings over the test's database; more than one are instances side by side."""
    with ExitStack() as ends:
        yield lambda **changes: ends.enter_context(lent_applications.lend(Settings(**{**GIVEN, **changes}), sessions))


@pytest.fixture
def make_app(sessions: SingleDatabase) -> Iterator[Callable[..., Flask]]:
    """Make an application that the test may change, with plugins; `lend_app` is faster."""
    with ExitStack() as ends:

        def make(*plugins: object, **changes: Any) -> Flask:
            app = create_app(Settings(**{**GIVEN, **changes}), sessions=sessions, plugins=plugins)
            ends.callback(app.extensions[runner.EXTENSION].stop)
            return app

        yield make


@pytest.fixture
def app(lend_app: Callable[..., Flask]) -> Flask:
    """Lend an application with the shipped settings; a test that changes one takes `make_app`."""
    return lend_app()
