"""The HTML of the pages is valid: every element is closed, every value quoted, every id unique."""

import pytest

from inventory_core import new_operation_id
from inventory_core.catalog.locations import add_location
from inventory_core.catalog.products import retire_product
from inventory_core.stock.operations import receive
from tests.web.blueprints.site import Site
from tests.web.html_checker import html_faults

PAGES = (
    "/inventory",
    "/inventory?location=Taller",
    "/inventory?status=retired",
    "/inventory?search=nada",
    "/products/new",
    "/products/A-1",
    "/products/A-1/edit",
    "/products/R-1",
    "/movements",
    "/movements?code=A-1",
    "/timeline",
    "/dashboard",
    "/low-stock",
    "/locations",
    "/imports/new",
    "/exports/new",
    "/work",
    "/labels?code=A-1",
    "/scan",
    "/scan?mode=count&code=A-1",
    "/scan?code=nada",
    "/views",
    "/system",
    "/account",
    "/account/password",
    "/account/second-factor",
    "/users",
    "/audit",
    "/shortcuts",
    "/nowhere",
)


@pytest.fixture
def stocked(site: Site) -> Site:
    """Products with names that need escaping, in two places, one retired, one below its minimum."""
    add_location(site.inventory, name="Taller", actor="prueba", operation=new_operation_id())
    site.create_product("A-1", name='Llave "plana" <8> & más', description="a < b\nc > d", quantity=3, minimum=5)
    receive(
        site.inventory,
        code="A-1",
        quantity=2,
        location="Taller",
        reason="<pedido>",
        actor="prueba",
        operation=new_operation_id(),
    )
    site.create_product("R-1", category="Hogar & jardín")
    retire_product(site.inventory, code="R-1", actor="prueba", operation=new_operation_id())
    return site


@pytest.mark.parametrize("address", PAGES)
def test_html_of_pages_is_valid(stocked: Site, address: str) -> None:
    assert html_faults(stocked.visitor("ada").get(address).text) == []


def test_html_of_the_login_is_valid(site: Site) -> None:
    assert html_faults(site.app.test_client().get("/login").text) == []


def test_html_of_fragments_is_valid(stocked: Site) -> None:
    person = stocked.operator
    fragments = {
        "results": person.get("/inventory", htmx=True),
        "row": person.post(
            "/products/A-1/quantity", {"delta": "1", "expected": "3", "location": "Principal"}, htmx=True
        ),
        "places": person.post("/products/A-1/quantity", {"delta": "1"}, htmx=True),
        "conflict": person.post("/products/A-1/quantity", {"quantity": "<", "location": "Taller"}, htmx=True),
        "scan": person.post("/scan", {"mode": "count", "code": "A-1"}, htmx=True),
        "views": person.get("/views", htmx=True),
        "error": person.get("/products/nada", htmx=True),
    }

    assert {what: html_faults(answer.text, fragment=True) for what, answer in fragments.items()} == {
        key: [] for key in fragments
    }


def test_html_of_refused_forms_is_valid(stocked: Site) -> None:
    person = stocked.operator
    assert person.post("/products/A-1/edit", {"name": "Una", "version": "1"}).status_code == 303
    pages = {
        "quantity": person.post("/products/A-1/quantity", {"quantity": "x", "location": "Taller"}),
        "places": person.post("/products/A-1/quantity", {"quantity": "9"}),
        "product": person.post("/products/new", {"code": "A-1", "name": "", "quantity": "x"}),
        "conflict": person.post("/products/A-1/edit", {"name": "Otra", "version": "1"}),
    }

    assert [page.status_code for page in pages.values()] == [422, 422, 422, 409]
    assert {what: html_faults(page.text) for what, page in pages.items()} == {key: [] for key in pages}


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ("<ul><li>a<li>b</li></ul>", "<li> in"),
        ("<input id=a>", "without quotes"),
        ('<input id="a"/>', "closes itself"),
        ('<b id="a"></b><b id="a"></b>', "an id twice"),
        ("<div><form><form></form></form></div>", "<form> in <form>"),
        ("<p><div></div></p>", "<div> in"),
        ("<div><b></div></b>", "closes"),
        ("<div>", "not closed"),
        ('<input name="a">', "without an id"),
        ('<label for="b"></label>', "no such id"),
        ('<b class="a" class="b"></b>', "twice"),
    ],
)
def test_html_faults_are_found(markup: str, fault: str) -> None:
    assert any(fault in found for found in html_faults(markup))
