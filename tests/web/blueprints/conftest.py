"""A site for each test, with everybody logged in."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory_core import Inventory, SingleDatabase
from inventory_core.database.sessions import RETRY_TIMEOUT_SECONDS
from inventory_web.app import create_app
from inventory_web.auth.authentication import log_in
from inventory_web.jobs import runner
from inventory_web.settings import Settings
from tests.web.app_pool import LentApplications
from tests.web.blueprints.site import Site, Visitor
from tests.web.browser import PASSWORD
from tests.web.conftest import ACCOUNTS, SECRET
from tests.web.jobs.slow_jobs import SlowJobs


@pytest.fixture(scope="session")
def logins(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A database in which everybody is logged in, and the token of each: to check a password is slow, and has to be."""
    file = Path(shutil.copy(template, tmp_path_factory.mktemp("logins") / "web.db"))
    sessions = SingleDatabase.from_file(file)
    inventory, idle = Inventory(sessions), timedelta(hours=12)
    tokens = {
        name: log_in(inventory, name=name, password=PASSWORD, address="127.0.0.1", idle=idle) or "" for name in ACCOUNTS
    }
    sessions.close()
    return file, tokens


@pytest.fixture
def file(logins: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    return Path(shutil.copy(logins[0], tmp_path / "web.db"))


@pytest.fixture
def make_site(
    file: Path, logins: tuple[Path, dict[str, str]], lent_applications: LentApplications
) -> Iterator[Callable[..., Site]]:
    """Make a site over the test's database; more than one are instances side by side."""
    with ExitStack() as ends:

        def make(*plugins: object, patience: float = RETRY_TIMEOUT_SECONDS, **given: Any) -> Site:
            sessions = SingleDatabase.from_file(file, patience=patience)
            ends.callback(sessions.close)
            settings = Settings(secret_key=SECRET, **given)
            if not plugins:
                return Site(ends.enter_context(lent_applications.lend(settings, sessions)), logins[1])
            app = create_app(settings, sessions=sessions, plugins=plugins)
            ends.callback(app.extensions[runner.EXTENSION].stop)
            return Site(app, logins[1])

        yield make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture
def viewer(site: Site) -> Visitor:
    return site.visitor("vera")


@pytest.fixture
def slow() -> Iterator[SlowJobs]:
    """Jobs that wait until the test lets them go on, at its end at the latest."""
    work = SlowJobs()
    yield work
    work.go.set()
