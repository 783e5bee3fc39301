"""Take the pictures of the tour from the running program with sample data.

Run ``nox -s pictures``, or ``python docs/make_pictures.py`` in the environment of the session ``browser``.
"""

import base64
import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from inventory_core import Inventory, SingleDatabase
from inventory_web.auth.users import add_account
from inventory_web.cli.sample.history import load_with_history
from inventory_web.db.schema import upgrade_all
from inventory_web.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).with_name("pictures")
LANGUAGES = ("es", "en")
NAME, PASSWORD = "ana", "una clave larga y propia"
QUALITY = 82
COUNTED = cycle(("15", "16"))
"""Alternate: a count that changes nothing cannot be undone."""
SETTLED = 500
"""Milliseconds until requests that htmx sends after loading have finished."""
WIDE, NARROW = 1280, 360


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in a window of the given width, after ``steps``."""

    address: str
    width: int = WIDE
    dark: bool = False
    steps: Callable[["Page"], None] | None = None
    height: int = 800

    def file(self, name: str, language: str) -> Path:
        """Return the path of the picture file."""
        return FOLDER / f"{name}.{language}.webp"


def _change_a_quantity(page: "Page") -> None:
    row = page.locator(".products tbody tr").nth(1)
    row.locator("button[name=delta][value='1']").click()
    page.locator(".qty-done").first.wait_for()


def _select(page: "Page") -> None:
    for place in (0, 1, 3):
        page.locator("input[name=p]").nth(place).click()
    page.wait_for_timeout(300)


def _count(page: "Page") -> None:
    page.locator(".scan-count input[name=quantity]").fill("25")


def _after_a_count(page: "Page") -> None:
    page.locator(".scan-count input[name=quantity]").fill(next(COUNTED))
    page.locator(".scan-count button").click()
    page.locator(".notice-with-undo").wait_for()


def _labels(page: "Page") -> None:
    page.locator("input[name=symbol][value=both]").check()
    page.locator("main form[action$=print] button[type=submit]").click()
    page.wait_for_url("**/labels/print")


def _keys(page: "Page") -> None:
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()


PICTURES: dict[str, Picture] = {
    "list": Picture("/inventory?location=Principal", steps=_change_a_quantity),
    "list-phone": Picture("/inventory?search=camiseta", NARROW, height=740),
    "list-dark": Picture("/inventory?status=low_stock", dark=True),
    "selection": Picture("/inventory?category=Hogar", steps=_select),
    "product": Picture("/products/HOG-001"),
    "product-phone-dark": Picture("/products/HOG-001", NARROW, dark=True, height=740),
    "count-phone": Picture("/scan?mode=count&place=Principal&code=HOG-001", NARROW, steps=_count, height=740),
    "counted-phone": Picture("/scan?mode=count&place=Principal&code=HOG-002", NARROW, steps=_after_a_count, height=740),
    "labels": Picture("/labels?list=1&category=Hogar", steps=_labels),
    "dashboard": Picture("/dashboard"),
    "dashboard-phone-dark": Picture("/dashboard", NARROW, dark=True, height=740),
    "to-buy": Picture("/low-stock"),
    "history": Picture("/movements"),
    "timeline": Picture("/timeline"),
    "system-dark": Picture("/system", dark=True),
    "keys": Picture("/inventory", steps=_keys),
}
"""Pictures by name; each is taken in both languages."""


def main() -> None:
    """Take all pictures, or those named on the command line."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not needed to read PICTURES

    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument(
        "--every", type=Path, metavar="FOLDER", help="take each page at both widths in both themes, for review"
    )
    arguments = parser.parse_args()
    wanted = {name: picture for name, picture in PICTURES.items() if name in arguments.names or not arguments.names}
    folder, suffix = (arguments.every, "png") if arguments.every else (FOLDER, "webp")
    if arguments.every:
        wanted = dict(_in_every_form(wanted))
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        for language in LANGUAGES:
            with _shop() as address:
                for name, picture in wanted.items():
                    (folder / f"{name}.{language}.{suffix}").write_bytes(
                        _taken(browser, address, picture, language, suffix)
                    )
        browser.close()


def _in_every_form(pictures: dict[str, Picture]) -> Iterator[tuple[str, Picture]]:
    pages = {(picture.address, picture.steps): name for name, picture in reversed(pictures.items())}
    for name in pages.values():
        for width in (NARROW, WIDE):
            for dark in (False, True):
                form = f"{name}.{width}.{'dark' if dark else 'light'}"
                yield form, replace(pictures[name], width=width, dark=dark)


def _taken(browser: "Browser", address: str, picture: Picture, language: str, suffix: str) -> bytes:
    context = browser.new_context(
        base_url=address,
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=2 if picture.width == NARROW else 1,
        locale={"es": "es-ES", "en": "en-GB"}[language],
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", NAME)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: not url.endswith("/login"))
    page.goto(picture.address)
    if picture.steps:
        picture.steps(page)
    page.wait_for_load_state()
    page.wait_for_timeout(SETTLED)
    options = {"format": "webp", "quality": QUALITY} if suffix == "webp" else {"format": suffix}
    taken = context.new_cdp_session(page).send("Page.captureScreenshot", options)
    context.close()
    return base64.b64decode(taken["data"])


@contextmanager
def _shop() -> Iterator[str]:
    """Yield the address of a server with some weeks of sample history."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "shop.db")
        sessions = SingleDatabase.from_file(file)
        upgrade_all(sessions.engine)
        add_account(Inventory(sessions), name=NAME, role=Role.ADMIN, password=PASSWORD)
        _open_shop(sessions)
        sessions.close()
        command = [str(Path(sys.executable).with_name("inventory")), "serve", "--port", "0"]
        settings = {
            "INVENTORY_DATABASE_URL": f"sqlite:///{file}",
            "INVENTORY_INSTANCE": "tienda",
            "PYTHONUNBUFFERED": "1",
        }
        with subprocess.Popen(
            command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as server:
            try:
                lines = server.stdout or ()
                yield next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
            finally:
                server.terminate()


def _open_shop(sessions: SingleDatabase) -> None:
    with resources.as_file(resources.files("inventory_web.cli.sample")) as sample:
        load_with_history(Inventory(sessions), sorted(sample.glob("*.csv")), actor=NAME)


if __name__ == "__main__":
    main()
