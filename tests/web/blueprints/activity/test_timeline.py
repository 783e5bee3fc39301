"""Who changed what, when and why."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from urllib.parse import urlencode

import pytest

from inventory_core import Cursor, Inventory, ProductDraft, edit_product, import_table, new_operation_id, read_table
from inventory_core.catalog.products import retire_product
from inventory_core.stock.operations import issue, receive
from inventory_core.testing import counted_statements
from tests.web.blueprints.site import Site, Visitor


def lines(page: str) -> list[str]:
    """What each line says, without its time."""
    found = re.findall(r"<li>\s*<div class=\"timeline-when\">.*?</div>(.*?)</li>", page, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]*>", " ", line)).split()) for line in found]


def edit(site: Site, code: str, **fields: str) -> None:
    draft = ProductDraft(**{"code": code, "name": f"Producto {code}", **fields})  # type: ignore[arg-type]
    edit_product(site.inventory, code=code, draft=draft, expected_version=1, actor="olga", operation=new_operation_id())


def test_each_change_is_a_line_with_its_person_and_its_reason(site: Site, viewer: Visitor) -> None:
    site.create_product("A", quantity=10, name="Mesa")
    issue(site.inventory, code="A", quantity=3, reason="venta <1>", actor="olga", operation=new_operation_id())
    edit(site, "A", name="Mesa grande", category="Hogar")
    retire_product(site.inventory, code="A", actor="ada", operation=new_operation_id())

    assert lines(viewer.get("/timeline").text) == [
        "Eliminación A Mesa grande Persona: ada",
        "Edición A Mesa grande Nombre: Mesa → Mesa grande Categoría: — → Hogar Persona: olga",
        "Salida A Mesa grande -3 en Principal, quedan 7 «venta <1>» Persona: olga",
        "Registro A Mesa grande +10 en Principal, quedan 10 Persona: prueba",
    ]


def test_an_import_is_one_line_with_its_rows(site: Site) -> None:
    table = read_table(BytesIO(b"code,name,quantity\nA,Mesa,5\nB,Silla,0\n"), filename="products.csv")
    import_table(site.inventory, table, actor="olga", operation=new_operation_id())

    assert lines(site.operator.get("/timeline").text) == [
        "Importación 2 filas nuevos: 2, cantidades cambiadas: 1 Persona: olga"
    ]
    assert lines(site.operator.get("/timeline", code="a").text)[0].startswith("Importación")


def test_the_timeline_of_a_product_shows_what_an_import_changed_in_it(site: Site) -> None:
    site.create_product("A", name="Mesa", minimum=1)
    table = read_table(BytesIO(b"code,name,minimum\nA,Silla,1\nB,Cama,0\n"), filename="products.csv")
    import_table(site.inventory, table, actor="olga", operation=new_operation_id())

    counted = "Importación 2 filas nuevos: 1, cambiados: 1"
    assert lines(site.operator.get("/timeline").text)[0] == f"{counted} Persona: olga"
    assert lines(site.operator.get("/timeline?code=A").text)[0] == f"{counted} Nombre: Mesa → Silla Persona: olga"
    assert lines(site.operator.get("/timeline?code=B").text)[0] == f"{counted} Registro Persona: olga"


def test_person_product_verb_and_days_narrow_the_timeline_together(site: Site) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    site.create_product("A", quantity=10)
    site.create_product("B", quantity=10)
    issue(site.inventory, code="B", quantity=1, actor="olga", operation=new_operation_id())
    earlier = Inventory(site.inventory.sessions, clock=lambda: yesterday)
    issue(earlier, code="B", quantity=2, actor="olga", operation=new_operation_id())

    def found(**query: str) -> int:
        return len(lines(site.operator.get(f"/timeline?{urlencode(query)}").text))

    assert found() == 4
    assert found(code="b") == 3
    assert found(actor="olga") == 2
    assert found(verb="register") == 2
    assert found(actor="olga", until=f"{yesterday:%Y-%m-%d}") == 1
    assert found(since=f"{yesterday + timedelta(days=1):%Y-%m-%d}", code="B") == 2
    assert found(actor="nobody") == 0


@pytest.mark.parametrize("query", ["until=9999-12-31", "since=0001-01-01", "verb=%00"])
def test_what_was_changed_by_hand_in_the_address_breaks_nothing(site: Site, query: str) -> None:
    site.create_product("A")

    assert site.operator.get(f"/timeline?{query}").status_code == 200


@pytest.mark.parametrize("after", ["%00", "x.y", "-1", str(Cursor(None, 1)), str(Cursor("2026", "a"))])
def test_a_crafted_cursor_of_the_timeline_is_refused(site: Site, after: str) -> None:
    answer = site.operator.get(f"/timeline?after={after}")

    assert answer.status_code == 422
    assert "INV-001" in answer.text


def test_a_product_that_does_not_exist_is_not_found(site: Site) -> None:
    assert site.operator.get("/timeline?code=nada").status_code == 404


def test_pages_show_each_line_once_and_keep_the_filter(site: Site) -> None:
    site.create_product("A")
    for _ in range(60):
        receive(site.inventory, code="A", quantity=1, actor="olga", operation=new_operation_id())
    seen, address = 0, "/timeline?actor=olga"
    while address:
        page = site.operator.get(address).text
        seen += len(lines(page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(found[1]) if found else ""

    assert seen == 60


def test_the_page_of_a_product_shows_its_last_lines_and_leads_to_all(site: Site, viewer: Visitor) -> None:
    site.create_product("A")
    site.create_product("B")
    for _ in range(6):
        receive(site.inventory, code="A", quantity=1, actor="olga", operation=new_operation_id())

    page = viewer.get("/products/A").text

    assert lines(page) == [f"Entrada +1 en Principal, quedan {left} Persona: olga" for left in (6, 5, 4, 3, 2)]
    assert 'href="/timeline?code=A"' in page


def test_the_number_of_statements_stays(site: Site) -> None:
    site.create_product("A")
    used = []
    for _ in range(2):
        with counted_statements() as statements:
            site.operator.get("/timeline")
        used.append(sum("FROM inventory_operation" in each or "FROM inventory_movement" in each for each in statements))
        for _ in range(30):
            receive(site.inventory, code="A", quantity=1, actor="olga", operation=new_operation_id())

    assert used == [2, 2]


def test_both_histories_lead_to_one_another(site: Site) -> None:
    site.create_product("A", quantity=1)

    assert 'href="/timeline?code=A"' in site.operator.get("/movements?code=A").text
    assert 'href="/movements?code=A"' in site.operator.get("/timeline?code=A").text
