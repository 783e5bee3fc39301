"""An application over a real SQLite file, and people who use it."""

import re
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from itertools import count
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from inventory_core import Inventory, ProductDraft, new_operation_id, register_product
from inventory_core.catalog.locations import add_location
from inventory_core.queries.products import get_product
from inventory_web import context
from tests.web.browser import begin_session

NUMBERS = count(1)


class Visitor:
    """A browser of one account: keeps cookies, follows nothing, sends the CSRF token with every form."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client = app.test_client()
        self._token = begin_session(self.client, token)

    def get(self, address: str, *, htmx: bool = False, **query: str) -> TestResponse:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"} if htmx else {}
        return self.client.get(address, query_string=query or None, headers=headers, buffered=True)

    def post(
        self,
        address: str,
        data: dict[str, Any] | None = None,
        *,
        htmx: bool = False,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        sent = {"HX-Request": "true", "HX-Request-Type": "partial"} if htmx else {}
        return self.client.post(
            address,
            data={"csrf_token": self._token, **(data or {})},
            headers={**sent, **(headers or {})},
            buffered=True,
        )


@dataclass(frozen=True)
class Site:
    """The application of one test, with shortcuts to its parts."""

    app: Flask
    tokens: dict[str, str]

    @cached_property
    def operator(self) -> Visitor:
        return self.visitor("olga")

    @property
    def inventory(self) -> Inventory:
        with self.app.app_context():
            return context.current_inventory()

    def visitor(self, name: str) -> Visitor:
        return Visitor(self.app, self.tokens[name])

    def create_product(self, code: str = "", *, quantity: int = 0, location: str | None = None, **fields: Any) -> str:
        code = code or f"P-{next(NUMBERS)}"
        fields.setdefault("name", f"Producto {code}")
        register_product(
            self.inventory,
            draft=ProductDraft(code=code, **fields),
            quantity=quantity,
            location=location,
            actor="prueba",
            operation=new_operation_id(),
        )
        return code

    def create_location(self, name: str) -> str:
        return add_location(self.inventory, name=name, actor="prueba", operation=new_operation_id())

    def quantity(self, code: str) -> int:
        return get_product(self.inventory, code).row.total

    def quantity_in(self, code: str, location: str) -> int:
        return dict(get_product(self.inventory, code).balances)[location]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._select: str | None = None
        self._text_of: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "fields": {}, "buttons": []})
        if not self.forms:
            return
        fields = self.forms[-1]["fields"]
        if tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            fields[given.get("name", "")] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select is not None and ("selected" in given or self._select not in fields):
            fields[self._select] = given.get("value", "")
            self._text_of = self._select if "value" not in given else None
        elif tag == "textarea":
            self._text_of = given.get("name", "")
            fields[self._text_of] = ""
        elif tag == "button":
            self.forms[-1]["buttons"].append(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag in ("option", "textarea"):
            self._text_of = None

    def handle_data(self, data: str) -> None:
        if self._text_of is not None:
            self.forms[-1]["fields"][self._text_of] += data


def form_in(page: str, action: str) -> dict[str, str]:
    """The fields of the form that is sent to ``action``, as a browser would send them untouched."""
    parser = _Forms()
    parser.feed(page)
    fields: dict[str, str] = next(form["fields"] for form in parser.forms if form["action"] == action)
    return fields


def codes_in(page: str) -> list[str]:
    """The codes of the product table, from the top."""
    return re.findall(r"<a id=\"p\d+-code\" href=\"[^\"]*\">([^<]*)</a>", page)
