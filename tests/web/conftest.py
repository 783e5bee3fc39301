"""Applications from the factory over a real, migrated SQLite file of each test's own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from pydantic import SecretStr

from inventory_core import Inventory, SingleDatabase
from inventory_web import Settings, create_app
from inventory_web.auth.roles import Role
from inventory_web.auth.users import add_account
from inventory_web.db.schema import upgrade_all
from inventory_web.jobs import runner
from tests.web.app_pool import LentApplications
from tests.web.browser import PASSWORD

ACCOUNTS = {"olga": Role.OPERATOR, "vera": Role.VIEWER, "ada": Role.ADMIN}
SECRET = SecretStr("a key of tests, long and random 0123456789")
GIVEN: dict[str, Any] = {"secret_key": SECRET, "database_url": "sqlite:///unused.db"}


class CompiledTemplates(BytecodeCache):
    """Templates as compiled by the first application that showed them; Jinja checks that their source is still the same."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once() -> Iterator[None]:
    """Many tests make an application, and compiling the templates would be half of its work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": CompiledTemplates()})
        yield


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


@pytest.fixture
def make_app(sessions: SingleDatabase) -> Iterator[Callable[..., Flask]]:
    """Make an application over the test's database; more than one are instances side by side."""
    apps: list[Flask] = []

    def make(*plugins: object, **settings: Any) -> Flask:
        apps.append(create_app(Settings(**{**GIVEN, **settings}), sessions=sessions, plugins=plugins))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions[runner.EXTENSION].stop()


@pytest.fixture(scope="session")
def lent_applications() -> LentApplications:
    return LentApplications()


@pytest.fixture
def app(sessions: SingleDatabase, lent_applications: LentApplications) -> Iterator[Flask]:
    """An application with the shipped settings over the test's database; whoever adds to it takes `make_app`."""
    with lent_applications.lend(Settings(**GIVEN), sessions) as lent:
        yield lent
