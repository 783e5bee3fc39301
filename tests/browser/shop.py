"""A running server and the browser windows of its users."""

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory_core import Inventory, ProductDraft, new_operation_id, register_product
from inventory_core.queries.products import get_product
from tests.web.i18n.catalogue import english

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request

PASSWORD = "una clave larga y propia"
NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Shop:
    """The server, and direct access to its inventory in ``file``."""

    address: str
    inventory: Inventory
    file: Path

    def new_code(self) -> str:
        """A code that no other test has; as a search it finds its product alone."""
        return f"B{new_operation_id()[:8]}-{next(NUMBERS)}".upper()

    def create_product(self, *, code: str = "", name: str = "Mesa", quantity: int = 0, **fields: Any) -> str:
        code = code or self.new_code()
        register_product(
            self.inventory,
            draft=ProductDraft(code=code, name=name, **fields),
            quantity=quantity,
            actor="prueba",
            operation=new_operation_id(),
        )
        return code

    def quantity(self, code: str) -> int:
        return get_product(self.inventory, code).row.total


def press(page: "Page", key: str) -> None:
    """Press a key by hand: a moment passes before it counts, since a scanner types quicker than that."""
    page.keyboard.press(key)
    page.wait_for_timeout(100)


class Window:
    """A page, and what went wrong in it: errors of scripts, reports of the content policy, requests to other hosts."""

    def __init__(self, page: "Page", address: str, *, language: str = "es", dark: bool = False) -> None:
        self.page = page
        self.language = language
        self.dark = dark
        self.trouble: list[str] = []
        self._address = address
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.trouble.append(f"script: {error}"))
        page.context.on("request", self._request)

    def log_in(self, name: str) -> None:
        self.page.goto("/login")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url("**/inventory")

    def sees(self, text: str) -> None:
        """Wait until the text is shown; "51 products" does not match "1 product"."""
        self.page.get_by_text(re.compile(rf"(?<!\d){re.escape(text)}", re.IGNORECASE)).first.wait_for()

    def row(self, code: str) -> "Locator":
        """The row of a product in the list."""
        return self.page.locator("tr", has=self.page.get_by_role("link", name=code, exact=True))

    def say(self, spanish: str) -> str:
        """The text in the language of the window."""
        message = english().get(spanish)
        assert message is not None, spanish
        return spanish if self.language == "es" else str(message.string)

    def faults(self) -> list[str]:
        """Return what is wrong with the page: wider than the window, or reported by the accessibility checker."""
        return ["wider than the window"] * self.is_too_wide() + self.violations()

    def is_too_wide(self) -> bool:
        """Whether the page can be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def violations(self) -> list[str]:
        """What the accessibility checker finds on the page."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - the other sessions do not have it

        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']} {node['target']}" for rule in found for node in rule["nodes"][:3]]

    def focused(self) -> str:
        """The accessible name, or else the id, of what has the keyboard."""
        return str(
            self.page.evaluate(
                """() => {
                    const e = document.activeElement;
                    const parts = (e.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean);
                    const named = parts.map((id) => document.getElementById(id).textContent).join(" ");
                    return named || e.ariaLabel || e.id || e.textContent;
                }"""
            )
        )

    def _console(self, message: "ConsoleMessage") -> None:
        # A refused form is an answer like others; the browser notes each one as a resource that failed to load. Where a test
        # takes the server away, htmx notes that nobody answered.
        expected = ("Failed to load resource", "htmx:error: Failed to fetch")
        if message.type in ("error", "warning") and not any(text in message.text for text in expected):
            self.trouble.append(f"console: {message.text}")

    def _request(self, request: "Request") -> None:
        if not request.url.startswith((self._address + "/", "data:", "blob:")):
            self.trouble.append(f"request to another host: {request.url}")
