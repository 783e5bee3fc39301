"""What must be bought."""

import re
from html import unescape

from tests.web.blueprints.site import Site, Visitor


def test_the_page_says_what_to_buy_and_how_many(site: Site, viewer: Visitor) -> None:
    site.create_product("A", quantity=2, minimum=10)
    site.create_product("B", quantity=10, minimum=10)
    site.create_product("C", quantity=0)

    page = viewer.get("/low-stock").text

    assert 'href="/products/A"' in page
    assert "<strong>8</strong>" in page
    assert 'href="/products/B"' not in page
    assert 'href="/products/C"' not in page


def test_the_menu_counts_what_is_low_on_every_page(site: Site) -> None:
    assert badges(site.operator.get("/locations").text) == ["", ""]

    site.create_product("A", minimum=1)

    assert badges(site.operator.get("/locations").text) == ["1", "1"]


def badges(page: str) -> list[str]:
    """The numbers of the menu: in the bar, and in what opens below it."""
    return re.findall(
        r'<span class="badge bg-orange-lt" id="badge-low_stock-to_buy(?:-again)?"[^>]*>(.*?)</span>', page
    )


def test_a_changed_quantity_renews_the_badge_of_the_menu(site: Site) -> None:
    site.create_product("A", quantity=1, minimum=2)
    changes = [{"delta": "1"}, {"delta": "-1"}]

    rows = [site.operator.post("/products/A/quantity", change, htmx=True).text for change in changes]
    scanned = site.operator.post("/scan", {"mode": "add", "code": "A"}, htmx=True).text

    assert [badges(text) for text in (*rows, scanned)] == [["", ""], ["1", "1"], ["", ""]]
    assert all(text.count('data-hx-swap-oob="true"') == 2 for text in (*rows, scanned))
    assert "data-hx-swap-oob" not in site.operator.get("/scan").text


def test_nothing_to_buy_is_said_in_words(site: Site) -> None:
    assert "No hay nada que comprar" in site.operator.get("/low-stock").text


def test_the_list_has_pages(site: Site) -> None:
    for _ in range(60):
        site.create_product(minimum=3)
    first = site.operator.get("/low-stock").text
    following = site.operator.get(first.split('rel="next" href="')[1].split('"')[0]).text

    assert first.count('<a href="/products/') == 50
    assert following.count('<a href="/products/') == 10


def test_low_stock_pages_keep_search_location_and_sort(site: Site) -> None:
    for number in range(60):
        site.create_product(name=f"Tornillo {number:02}", quantity=1, minimum=3)
    site.create_product("OTRO", name="Martillo", minimum=3)
    filtered = "search=tornillo&location=Principal&sort=-name"
    first = site.operator.get(f"/low-stock?{filtered}").text
    following = site.operator.get(unescape(first.split('rel="next" href="')[1].split('"')[0])).text
    back = unescape(re.findall(r'class="btn" href="(/low-stock[^"]*)"', following)[0])

    assert first.count('<a href="/products/') == 50
    assert following.count('<a href="/products/') == 10
    assert re.findall(r">(Tornillo \d\d)<", following) == [f"Tornillo {number:02}" for number in range(9, -1, -1)]
    assert back == "/low-stock?search=tornillo&location=Principal&sort=-name"
