"""The dashboard."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from inventory_core import Inventory, new_operation_id
from inventory_core.catalog.products import retire_product
from inventory_core.stock.operations import issue
from inventory_core.testing import counted_statements
from tests.web.blueprints.charts.reading import Picture
from tests.web.blueprints.site import Site, Visitor


def chart(page: str, name: str) -> Picture:
    found = re.search(rf'<svg class="chart chart-{name}".*?</svg>', page, re.DOTALL)
    assert found, name
    return Picture.of(found[0])


def figures(page: str) -> dict[str, tuple[str, str]]:
    """By label: the number and where it leads."""
    found = re.findall(r'<a class="card key-figure" href="([^"]*)"><strong>([^<]*)</strong> <span>([^<]*)</span>', page)
    return {label: (value, address.replace("&amp;", "&")) for address, value, label in found}


def table_after(page: str, heading: str) -> list[list[str]]:
    """The cells of the table of a chart, row by row."""
    body = page.split(f'id="{heading}"')[1].split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    rows = body.split("<tr>")[1:]
    return [[re.sub("<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def ago(site: Site, days: int) -> Inventory:
    then = datetime.now(UTC) - timedelta(days=days)
    return Inventory(site.inventory.sessions, clock=lambda: then)


def take(inventory: Inventory, code: str, quantity: int) -> None:
    issue(inventory, code=code, quantity=quantity, actor="prueba", operation=new_operation_id())


def test_key_figures_lead_to_the_list_that_they_count(site: Site) -> None:
    site.create_product("A", quantity=1_500, minimum=2)
    site.create_product("B", quantity=1, minimum=2)
    site.create_product("C")
    site.create_product("D", quantity=9)
    retire_product(site.inventory, code="D", actor="prueba", operation=new_operation_id())

    page = site.operator.get("/dashboard").text

    assert figures(page) == {
        "Productos": ("3", "/inventory"),
        "Unidades": ("1.501", "/inventory?sort=-quantity"),
        "Bajo mínimo": ("1", "/inventory?status=low_stock"),
        "Agotados": ("1", "/inventory?status=out_of_stock"),
        "Movimientos hoy": ("3", "/movements"),
    }


def test_the_chart_of_categories_shows_the_numbers_of_its_table(site: Site) -> None:
    site.create_product("A", quantity=1_500, category="Hogar")
    site.create_product("B", quantity=20)
    site.create_product("C", quantity=5, category="Hogar")

    page = site.operator.get("/dashboard").text

    assert table_after(page, "h-categories") == [["Hogar", "2", "1.505"], ["Sin categoría", "1", "20"]]
    assert chart(page, "categories").texts() == ["Hogar", "Sin categoría"]
    assert chart(page, "categories").texts("value") == ["1.505", "20"]
    assert 'href="/inventory?category=Hogar"' in page


def test_many_categories_end_in_one_line_that_adds_up_the_rest(site: Site) -> None:
    for place in range(12):
        site.create_product(category=f"Clase {place:02}", quantity=100 - place)

    shown = table_after(site.operator.get("/dashboard").text, "h-categories")

    assert len(shown) == 10
    assert shown[-1] == ["Otras 3 categorías", "3", str(91 + 90 + 89)]


def test_days_show_what_came_and_went_in_the_period_that_was_requested(site: Site) -> None:
    site.create_product("A", quantity=10)
    take(ago(site, 3), "A", 4)
    take(ago(site, 60), "A", 1)

    month, quarter = (site.operator.get("/dashboard", days=days).text for days in ("30", "90"))

    assert (len(table_after(month, "h-movements")), len(table_after(quarter, "h-movements"))) == (30, 90)
    assert table_after(month, "h-movements")[0][1:] == ["1", "10", "0"]
    assert table_after(month, "h-movements")[3][1:] == ["1", "0", "4"]
    assert (len(chart(month, "movements").boxes("out")), len(chart(quarter, "movements").boxes("out"))) == (1, 2)
    assert len(chart(month, "movements").boxes("in")) == 1


@pytest.mark.parametrize("days", ["", "31", "-1", "9" * 50, "x", "\x00"])
def test_a_period_that_is_not_offered_is_the_shorter_one(site: Site, days: str) -> None:
    site.create_product("A", quantity=10)

    assert len(table_after(site.operator.get("/dashboard", days=days).text, "h-movements")) == 30


def test_what_runs_out_first_is_reported_in_days(site: Site) -> None:
    site.create_product("SOON", quantity=10, name="Vela")
    site.create_product("LATER", quantity=100)
    take(ago(site, 2), "SOON", 9)
    take(ago(site, 2), "LATER", 60)

    page = site.operator.get("/dashboard").text

    assert table_after(page, "h-running-out") == [
        ["SOON Vela", "1", "9", "3 días"],
        ["LATER Producto LATER", "40", "60", "20 días"],
    ]
    assert chart(page, "running-out").texts("value") == ["3 días", "20 días"]


def test_what_lacks_most_is_shown_with_its_lack(site: Site) -> None:
    for place in range(12):
        site.create_product(f"L-{place:02}", minimum=5 + place)

    page = site.operator.get("/dashboard").text

    assert chart(page, "lacking").texts("value")[:2] == ["16", "15"]
    assert len(table_after(page, "h-lacking")) == 10
    assert "Ver todos (12)" in re.sub(r"<[^>]*>", "", page)


def test_before_there_are_products_the_page_says_what_it_will_show(site: Site, viewer: Visitor) -> None:
    page = site.operator.get("/dashboard").text

    assert "Aquí verá cómo va su inventario" in page
    assert "/products/new" in page
    assert "/products/new" not in viewer.get("/dashboard").text
    assert '<svg class="chart' not in page


def test_products_without_movements_leave_friendly_words(site: Site) -> None:
    site.create_product("A")

    page = site.operator.get("/dashboard").text

    assert "Nada ha entrado ni salido en estos días." in page
    assert "no ha salido nada" in page
    assert "Ningún producto está por debajo de su mínimo." in page


def test_the_page_speaks_english_with_its_numbers_and_dates(site: Site) -> None:
    site.create_product("A", quantity=1_500)

    answer = site.operator.client.get("/dashboard", headers={"Accept-Language": "en-GB"})

    assert "Units by category" in answer.text
    assert ">1,500<" in answer.text


def test_the_number_of_statements_does_not_grow(site: Site) -> None:
    site.create_product("A", quantity=5, minimum=9, category="Hogar")
    site.operator.get("/dashboard")
    few = _statements(site)
    for place in range(40):
        site.create_product(quantity=place, minimum=9, category=f"Clase {place}")

    assert _statements(site) == few
    # Four questions of the page, two of the session and one of the menu's badge.
    assert few <= 7


def _statements(site: Site) -> int:
    with counted_statements() as statements:
        site.operator.get("/dashboard", days="90")
    return len(statements)
