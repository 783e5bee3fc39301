"""The line of a product's quantity on its page."""

import re
from datetime import UTC, datetime, timedelta

from inventory_core import Inventory, new_operation_id
from inventory_core.stock.operations import issue, receive
from inventory_core.testing import counted_statements
from tests.web.blueprints.charts.reading import Picture
from tests.web.blueprints.site import Site, Visitor


def panel(page: str) -> str:
    return page.split("Cantidad a lo largo del tiempo</h2>")[1].split("</section>", maxsplit=1)[0]


def numbers(page: str) -> list[str]:
    """The quantities of the table, the latest first."""
    return re.findall(r'<td class="num">([^<]*)</td>', panel(page))


def test_the_line_ends_at_what_there_is_and_its_table_has_the_same_steps(site: Site, viewer: Visitor) -> None:
    then = datetime.now(UTC) - timedelta(days=10)
    site.create_product("A", quantity=10)
    earlier = Inventory(site.inventory.sessions, clock=lambda: then)
    issue(earlier, code="A", quantity=4, actor="prueba", operation=new_operation_id())
    receive(site.inventory, code="A", quantity=1_500, actor="prueba", operation=new_operation_id())

    page = viewer.get("/products/A").text
    drawn = re.search(r"<svg.*?</svg>", panel(page), re.DOTALL)

    assert numbers(page)[0] == "1.506"
    assert drawn
    picture = Picture.of(drawn[0])
    assert picture.outside() == []
    assert "1.506" in (picture.svg.findtext("desc") or "")


def test_a_product_that_never_moved_has_a_line_at_nothing(site: Site) -> None:
    site.create_product("A")

    assert numbers(site.operator.get("/products/A").text) == ["0"]


def test_the_panel_needs_the_same_statements_for_any_history(site: Site) -> None:
    site.create_product("A", quantity=10)
    few = _statements(site)
    for _ in range(30):
        receive(site.inventory, code="A", quantity=1, actor="prueba", operation=new_operation_id())

    assert _statements(site) == few
    assert few >= 1


def _statements(site: Site) -> int:
    with counted_statements() as statements:
        site.operator.get("/products/A")
    return sum("FROM inventory_movement" in statement for statement in statements)
