"""Fixtures of the browser tests: a running server, Chromium, and users with separate windows.

Playwright is imported inside functions, because other nox sessions collect these tests without installing it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inventory_core import Inventory, SingleDatabase
from inventory_web.auth.users import add_account
from inventory_web.db.schema import upgrade_all
from inventory_web.roles import Role
from tests import capabilities
from tests.browser.shop import PASSWORD, Shop, Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ACCOUNTS = {"olga": Role.OPERATOR, "ada": Role.ADMIN, "vera": Role.VIEWER}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One server for all tests of a worker; each test makes products of its own."""
    file = tmp_path_factory.mktemp("shop") / "stock.db"
    sessions = SingleDatabase.from_file(file)
    upgrade_all(sessions.engine)
    inventory = Inventory(sessions)
    for name, role in ACCOUNTS.items():
        add_account(inventory, name=name, role=role, password=PASSWORD)
    command = [str(Path(sys.executable).with_name("inventory")), "serve", "--port", "0"]
    environment = {**os.environ, "INVENTORY_DATABASE_URL": f"sqlite:///{file}", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield Shop(_address(server), inventory, file)
        finally:
            server.terminate()
            server.communicate(timeout=60)
            sessions.close()


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the other sessions do not have it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=capabilities.chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_window(shop: Shop, chromium: "Browser") -> Iterator[Callable[..., Window]]:
    """Open a window of a logged-in user; at the end, none of the windows may have reported an error."""
    windows: list[Window] = []

    def open_one(
        name: str = "olga", *, width: int = 1280, script: bool = True, dark: bool = False, language: str = "es"
    ) -> Window:
        context = chromium.new_context(
            base_url=shop.address,
            viewport={"width": width, "height": 800 if width > 600 else 740},
            locale={"es": "es-ES", "en": "en-GB"}[language],
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            # Colours that are on their way are neither those of before nor those of after.
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        window = Window(context.new_page(), shop.address, language=language, dark=dark)
        windows.append(window)
        window.log_in(name)
        return window

    yield open_one
    trouble = [line for window in windows for line in window.trouble]
    for window in windows:
        window.page.context.close()

    assert trouble == []


@pytest.fixture
def window(open_window: Callable[..., Window]) -> Window:
    return open_window()


def _address(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError("the server ended without saying where it listens")
