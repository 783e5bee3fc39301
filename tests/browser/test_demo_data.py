"""The shipped demo, with its sample catalogue and history, in a browser."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.shop import Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PAGES = (
    "/inventory",
    "/inventory?status=low_stock",
    "/products/{code}",
    "/products/{code}/edit",
    "/products/new",
    "/movements",
    "/timeline",
    "/timeline?code={code}",
    "/dashboard",
    "/low-stock",
    "/locations",
    "/users",
    "/audit",
    "/work",
    "/imports/new",
    "/labels?code={code}",
    "/scan",
    "/scan?mode=count&code={code}",
    "/system",
    "/views",
    "/shortcuts",
    "/exports/new",
    "/account",
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `inventory demo` over a database of its own."""
    folder = tmp_path_factory.mktemp("demo")
    command = [str(Path(sys.executable).with_name("inventory")), "demo", "--port", "0"]
    environment = {
        **os.environ,
        "INVENTORY_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
        "PYTHONUNBUFFERED": "1",
    }
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            lines = iter(server.stdout.readline, "")
            yield next(found[0] for line in lines if (found := re.search(r"http://[\w.:]+", line)))
        finally:
            server.terminate()
            server.communicate(timeout=60)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_the_demo_data(demo: str, chromium: "Browser", width: int, *, dark: bool) -> None:
    context = chromium.new_context(
        base_url=demo,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    window = Window(page, demo, dark=dark)
    page.goto("/login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "admin123")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/inventory")
    href = page.locator('.products a[href^="/products/"]').first.get_attribute("href")
    assert href is not None
    found = []
    for address in PAGES:
        answer = page.goto(address.format(code=href.split("/")[2].split("?")[0]))
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        found += [f"{address}: {line}" for line in window.faults()]
    context.close()

    assert found == []
    assert window.trouble == []
