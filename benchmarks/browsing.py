"""The list in a real browser, over the shipped server: waiting times and transferred bytes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import Bar, Comparison, Figure, Ground, Table, p95
from inventory_core import SingleDatabase
from inventory_web.db.schema import upgrade_all
from tests import capabilities

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MOST_VISITS = 20
BETWEEN_KEYS_MS = 250
"""Longer than the delay of a search, so that every keystroke has a result to measure."""
SLOWEST_KEY_MS = 200
"""The page waits 100 ms for the next keystroke, which people need anyway; another 100 ms are for the result."""
WORDS = ("madera azul", "foucault", "04217", "zapato", "lámpara", "garantía", "xylofon", "de")
KB = 1024
WATCH = """
    window.seen = {paint: 0, keys: [], long: []};
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (seen.paint = entry.startTime)))
        .observe({type: "largest-contentful-paint", buffered: true});
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => seen.long.push(entry.duration)))
        .observe({type: "longtask", buffered: true});
    let typed = 0;
    document.addEventListener("input", () => (typed = performance.now()), true);
    new MutationObserver((changes) => {
        if (!typed || !changes.some((change) => [...change.addedNodes].some((node) => node.id === "results"))) return;
        const since = typed;
        requestAnimationFrame(() => setTimeout(() => seen.keys.push(performance.now() - since)));
    }).observe(document, {childList: true, subtree: true});
"""
FETCH = """async (word) => {
    const began = performance.now();
    const headers = {"HX-Request": "true", "HX-Request-Type": "partial"};
    await (await fetch("/inventory?search=" + encodeURIComponent(word), {headers})).text();
    return performance.now() - began;
}"""


@dataclass(slots=True)
class Wire:
    """Counts the bytes of a page, including headers."""

    bytes: int = 0

    def listen(self, page: "Page") -> None:
        """Restart the count."""
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")

        def count(event: dict[str, float]) -> None:
            self.bytes += int(event["encodedDataLength"])

        session.on("Network.loadingFinished", count)


@dataclass(slots=True)
class Seen:
    """Results; times in milliseconds, sizes in bytes."""

    first_visit: int = 0
    paints: list[float] = field(default_factory=list)
    login_paints: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    fetches: list[float] = field(default_factory=list)
    searches: list[int] = field(default_factory=list)
    long: list[float] = field(default_factory=list)


def versions() -> dict[str, str]:
    """Return the environment for the page."""
    command = [str(capabilities.chromium()), "--version"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return {"Browser": re.sub(r"\s+built on.*", "", output), "Playwright": version("playwright")}


def measure(ground: Ground) -> Iterator[Table | Comparison]:
    """Yield the table of the browser, with the measurements of the course project."""
    seen = Seen()
    with served(ground) as address, chromium() as browser:
        _visit(browser, address, seen, min(ground.repetitions, MOST_VISITS))
        _search(browser, address, seen)
    yield _table(seen)
    yield _beside_the_class_project(seen)


@contextmanager
def served(ground: Ground) -> Iterator[str]:
    """Serve a copy of the inventory with the shipped command; yield its address."""
    copy = Path(shutil.copy(ground.database, ground.scratch / "browsed.db"))
    with closing(SingleDatabase.from_url(f"sqlite:///{copy}")) as sessions:
        upgrade_all(sessions.engine)
    command = [str(Path(sys.executable).with_name("inventory")), "serve", "--port", "0"]
    environment = {**os.environ, "INVENTORY_DATABASE_URL": f"sqlite:///{copy}", "PYTHONUNBUFFERED": "1"}
    environment["INVENTORY_LOG_LEVEL"] = "error"
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield next(found[0] for line in server.stdout or () if (found := re.search(r"http://\S+", line)))
        finally:
            server.terminate()
            server.communicate(timeout=60)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Start the system's browser, headless."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the other suites do not need it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=capabilities.chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def _visit(browser: "Browser", address: str, seen: Seen, visits: int) -> None:
    """Measure first visits with an empty cache: the login page, the login, the list."""
    for number in range(visits):
        page = _page(browser, address)
        wire = Wire()
        wire.listen(page)
        page.goto("/login", wait_until="networkidle")
        seen.login_paints.append(page.evaluate("seen.paint"))
        _log_in(page)
        if number == 0:
            seen.first_visit = wire.bytes
        page.goto("/inventory", wait_until="networkidle")
        seen.paints.append(page.evaluate("seen.paint"))
        seen.long += page.evaluate("seen.long")
        page.context.close()


def _search(browser: "Browser", address: str, seen: Seen) -> None:
    page = _page(browser, address)
    wire = Wire()
    wire.listen(page)
    page.goto("/login")
    _log_in(page)
    for word in WORDS:
        page.fill("#search", "")
        page.wait_for_load_state("networkidle")
        seen.long += page.evaluate("seen.long")
        page.evaluate("seen.keys = [], seen.long = []")
        for key in word:
            before = wire.bytes
            page.keyboard.insert_text(key)
            page.wait_for_timeout(BETWEEN_KEYS_MS)
            if wire.bytes > before:
                seen.searches.append(wire.bytes - before)
        page.wait_for_load_state("networkidle")
        seen.keys += page.evaluate("seen.keys")
        seen.fetches.append(page.evaluate(FETCH, word))
    seen.long += page.evaluate("seen.long")
    page.context.close()


def _page(browser: "Browser", address: str) -> "Page":
    page = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(WATCH)
    return page


def _log_in(page: "Page") -> None:
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "admin123")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/inventory")
    page.wait_for_load_state("networkidle")


def _table(seen: Seen) -> Table:
    longest = max(seen.long, default=0.0)
    figures = [
        Figure(
            "list ready: largest contentful paint, p95",
            p95(seen.paints),
            "ms",
            p95(seen.login_paints),
            Bar("most", 300),
        ),
        Figure("result of a search key, p95", p95(seen.keys), "ms", p95(seen.fetches), Bar("most", SLOWEST_KEY_MS)),
        Figure("first visit, login and list, without a cache", seen.first_visit / KB, "KB", None, Bar("most", 150)),
        Figure("a search, largest", max(seen.searches) / KB, "KB", None, Bar("most", 15)),
        Figure("longest task of the main thread", longest, "ms", None, Bar("most", 50)),
    ]
    return Table(
        "In the browser",
        f"Headless Chromium with `inventory serve`, {len(seen.paints)} first visits and {len(seen.keys)} keystrokes of a search, "
        f"{BETWEEN_KEYS_MS} ms apart. A keystroke's time ends when the frame with its results is drawn, and includes the delay "
        "that waits for further keystrokes. Floors: the paint of the login page, which has the same files but no rows; the same "
        "response fetched but not rendered. Browsers report tasks from 50 ms on; without any, the longest is 0.",
        figures,
    )


def _beside_the_class_project(seen: Seen) -> Comparison:
    page = max(seen.searches) / KB
    return Comparison(
        "Compared with the class project that this one grew from",
        "Its list page contains every product: 93 MB at 100,000 products, and 5.5 s to serve before the browser draws anything.",
        ("what", "class project", "here"),
        (
            ("list page over the wire", "93 MB", f"{page:.0f} KB"),
            ("until it is there", "5,500 ms, served", f"{p95(seen.paints):.0f} ms, drawn"),
        ),
    )
