"""The list: search, filters, order, pages, and what it costs."""

import base64
import json

import pytest

from inventory_core import new_operation_id
from inventory_core.catalog.products import retire_product
from inventory_core.testing import counted_statements
from inventory_web.blueprints.catalog import product_list
from tests.web.blueprints.site import Site, Visitor, codes_in


def cursor(*parts: object) -> str:
    """A cursor in the form in which pages give them, with any content."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_every_word_of_the_search_must_be_found_without_regard_to_case_and_accents(site: Site) -> None:
    site.create_product("L-1", name="Lámpara de mesa", category="Electrónicos")
    site.create_product("L-2", name="Lámpara de mesa", category="Hogar")

    page = site.operator.get("/inventory", search="lampara ELE").text

    assert codes_in(page) == ["L-1"]
    assert "1 producto" in page


def test_status_category_and_location_narrow_the_list_together(site: Site) -> None:
    site.create_location("Almacén")
    site.create_product("A", quantity=3, minimum=5, category="Hogar", location="Almacén")
    site.create_product("B", quantity=9, minimum=5, category="Hogar", location="Almacén")
    site.create_product("C", quantity=3, minimum=5, category="Ropa", location="Almacén")
    site.create_product("D", quantity=0, category="Hogar")

    listed = {
        query: codes_in(site.operator.get(f"/inventory?{query}").text)
        for query in (
            "status=low_stock&category=Hogar&location=Almac%C3%A9n",
            "status=available&category=hogar",
            "status=out_of_stock",
            "category=Ropa",
            "location=almacen&search=b",
        )
    }

    assert list(listed.values()) == [["A"], ["A", "B"], ["D"], ["C"], ["B"]]


def test_what_is_printed_reports_its_filter_and_that_there_is_more(site: Site) -> None:
    site.create_location("Almacén")
    for number in range(51):
        site.create_product(f"N-{number:03}", name="Silla", quantity=9, category="Hogar", location="Almacén")

    filtered = site.operator.get("/inventory?search=silla&category=Hogar&status=available&location=Almac%C3%A9n").text
    printed = filtered.split("d-print-block")[1].split("</p>")[0]

    assert "Filtro: silla · Hogar · Disponible · Almacén." in printed
    assert "Aquí están 50; el archivo de Excel los tiene todos." in printed
    assert "Aquí están" not in site.operator.get("/inventory?search=N-001").text
    assert "Filtro:" not in site.operator.get("/inventory").text


def test_a_click_on_a_heading_sorts_and_the_next_one_turns_round(site: Site) -> None:
    for code, quantity in (("A", 5), ("B", 1), ("C", 9)):
        site.create_product(code, quantity=quantity)

    by_quantity = site.operator.get("/inventory?sort=quantity").text

    assert codes_in(by_quantity) == ["B", "A", "C"]
    assert 'href="/inventory?sort=-quantity"' in by_quantity
    assert codes_in(site.operator.get("/inventory?sort=-quantity").text) == ["C", "A", "B"]


def test_pages_follow_one_another_and_show_each_product_once(site: Site) -> None:
    codes = [site.create_product(f"N-{number:03}") for number in range(120)]
    seen: list[str] = []
    address: str | None = "/inventory?sort=code"
    while address:
        page = site.operator.get(address).text
        seen += codes_in(page)
        address = _next_address(page)

    assert seen == codes


def test_htmx_gets_the_results_alone_and_the_address_to_show(site: Site) -> None:
    site.create_product("A", name="Mesa")

    answer = site.operator.get("/inventory?search=mesa&category=&status=&sort=name", htmx=True)

    assert "<html" not in answer.text
    assert answer.text.lstrip().startswith('<div id="results"')
    assert {"HX-Request", "HX-Request-Type"} <= {name.strip() for name in answer.headers["Vary"].split(",")}
    assert answer.headers["HX-Push-Url"] == "/inventory?search=mesa"


@pytest.mark.parametrize(
    ("shown", "requested", "header"),
    [
        ("/inventory", "search=m", "HX-Push-Url"),
        ("/inventory?search=m", "search=mesa", "HX-Replace-Url"),
        ("/inventory?search=mesa", "search=mes", "HX-Replace-Url"),
        ("/inventory?search=mesa+de", "search=mesa de cas", "HX-Replace-Url"),
        ("/inventory?search=mesa", "search=silla", "HX-Push-Url"),
        ("/inventory?search=mesa", "search=", "HX-Push-Url"),
        ("/inventory?search=m&sort=code", "search=me&sort=code", "HX-Replace-Url"),
        ("/inventory?search=m&sort=code", "search=me", "HX-Push-Url"),
        ("/inventory?search=m", "search=m&status=low_stock", "HX-Push-Url"),
        ("/low-stock?search=m", "search=me", "HX-Push-Url"),
        ("", "search=me", "HX-Push-Url"),
    ],
)
def test_typing_a_word_makes_one_entry_of_the_history(site: Site, shown: str, requested: str, header: str) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": f"http://localhost{shown}"}

    answer = site.operator.client.get(f"/inventory?{requested}", headers=headers)

    assert [name for name, _ in answer.headers if name.endswith("-Url")] == [header]


def test_the_history_of_the_browser_gets_the_whole_page(site: Site) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}

    answer = site.operator.client.get("/inventory?search=mesa", headers=headers)

    assert "<html" in answer.text
    assert 'value="mesa"' in answer.text


def test_only_the_header_requests_the_fragment(site: Site) -> None:
    answer = site.operator.client.get("/inventory", headers={"HX-Request": "true"})

    assert "<html" not in answer.text


@pytest.mark.parametrize(
    "search", ["<script>alert(1)</script>", "'; DROP TABLE product; --", "%", "_", '"', "\x00", "☃" * 5000]
)
def test_a_search_is_text_and_nothing_else(site: Site, search: str) -> None:
    site.create_product("A", name="Mesa")

    answer = site.operator.get("/inventory", search=search)

    assert answer.status_code == 200
    assert codes_in(answer.text) == []
    assert "<script>alert" not in answer.text
    assert site.quantity("A") == 0


def test_a_very_long_search_with_many_words_is_answered(site: Site) -> None:
    assert site.operator.get("/inventory", search="a " * 20_000).status_code == 200


def test_a_status_that_does_not_exist_is_refused(site: Site) -> None:
    assert site.operator.get("/inventory?status=broken").status_code == 422


def test_an_unknown_order_is_that_of_the_names(site: Site) -> None:
    site.create_product("A")

    assert codes_in(site.operator.get("/inventory?sort=broken").text) == ["A"]


@pytest.mark.parametrize(
    ("sort", "after"),
    [
        ("name", "broken"),
        ("name", "W10"),
        ("name", "%00"),
        ("quantity", "WyJhIiwxXQ"),
        ("name", cursor("\ud800", 1)),
        ("name", cursor("a", 2**63)),
        ("quantity", cursor(2**63, 1)),
        ("changed", cursor("0001-01-01T00:00:00+12:00", 1, "time")),
        ("changed", cursor("9999-12-31T23:59:59-12:00", 1, "time")),
    ],
)
def test_a_crafted_cursor_is_refused(site: Site, sort: str, after: str) -> None:
    answer = site.operator.get(f"/inventory?sort={sort}&after={after}")

    assert answer.status_code == 422
    assert "INV-001" in answer.text


def test_rows_show_names_descriptions_and_categories_in_full(site: Site) -> None:
    names = [f"Tornillo hexagonal DIN 933 de acero inoxidable A2 M8x{length} ".ljust(199, "z") for length in (20, 25)]
    for name in names:
        site.create_product(name=name, description="palabra " * 250, category="Categoría " + "larga" * 14)

    page = site.operator.get("/inventory").text

    assert all(f">{name}<" in page for name in names)
    assert page.count("palabra " * 249 + "palabra<") == 2
    assert page.count(">Categoría " + "larga" * 14 + "</span>") == 2
    assert "…" not in page.split("<tbody")[1].split("</tbody")[0]


def test_the_number_of_statements_does_not_grow_with_the_list(site: Site) -> None:
    address = "/inventory?search=pro&category=Hogar&status=low_stock"
    site.create_product(category="Hogar", minimum=1)
    on_one_page = _statements(site, address)
    for _ in range(60):
        site.create_product(category="Hogar", minimum=1)
    on_two_pages = _statements(site, address)
    for _ in range(60):
        site.create_product(category="Hogar", minimum=1)
    on_three_pages = _statements(site, address)

    assert 0 < len(on_one_page) == len(on_two_pages)
    assert on_three_pages == on_two_pages


def test_the_number_of_products_is_the_same_whether_they_fit_on_a_page_or_not(site: Site) -> None:
    for _ in range(50):
        site.create_product()
    assert "50 productos" in site.operator.get("/inventory").text

    site.create_product()
    assert "51 productos" in site.operator.get("/inventory").text


def test_a_search_that_is_not_counted_to_its_end_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_list, "MOST_FOUND", 2)
    for number in range(3):
        site.create_product(f"M-{number}", name="Mesa")

    assert "Más de 2 productos" in site.operator.get("/inventory?search=mesa").text
    assert "3 productos" in site.operator.get("/inventory").text


def test_a_viewer_sees_quantities_and_no_form_that_changes_them(site: Site, viewer: Visitor) -> None:
    site.create_product("A", quantity=1234)

    page = viewer.get("/inventory").text

    assert "1.234" in page
    assert "/quantity" not in page
    assert "/products/new" not in page
    assert "/imports/new" not in page


def test_every_status_is_there_as_a_word(site: Site) -> None:
    site.create_product("A", quantity=9)
    site.create_product("B", quantity=1, minimum=5)
    site.create_product("C")
    site.create_product("D")
    retire_product(site.inventory, code="D", actor="prueba", operation=new_operation_id())

    page = site.operator.get("/inventory").text
    retired = site.operator.get("/inventory?status=retired").text

    assert ">Disponible</span>" in page
    assert ">Bajo mínimo</span>" in page
    assert ">Agotado</span>" in page
    assert codes_in(retired) == ["D"]
    assert ">Eliminado</span>" in retired


def test_an_empty_inventory_says_how_to_begin(site: Site) -> None:
    page = site.operator.get("/inventory").text

    assert "Todavía no hay productos" in page
    assert "Ningún producto coincide" in site.operator.get("/inventory?search=nada").text


def test_every_control_of_a_row_is_named_after_its_product(site: Site) -> None:
    site.create_product("A-1", quantity=1)

    page = site.operator.get("/inventory").text

    for label in ("Cantidad de A-1", "Guardar la cantidad de A-1", "Restar 1 a A-1", "Sumar 1 a A-1"):
        assert page.count(f'aria-label="{label}"') == 1


def test_a_filter_in_other_letters_stays_chosen_in_the_form(site: Site) -> None:
    site.create_location("Almacén")
    site.create_product("A", quantity=1, category="Hogar", location="Almacén")

    page = site.operator.get("/inventory?category=HOGAR&location=almacen").text

    assert codes_in(page) == ["A"]
    assert "<option selected>HOGAR</option>" in page
    assert "<option selected>almacen</option>" in page


def test_a_page_behind_the_last_product_leads_back(site: Site) -> None:
    for number in range(51):
        site.create_product(f"N-{number:03}")
    address = _next_address(site.operator.get("/inventory?sort=code").text)
    assert address is not None
    site.operator.post("/products/N-050/retire")

    page = site.operator.get(address).text

    assert "La lista termina aquí" in page


def _next_address(page: str) -> str | None:
    if 'rel="next"' not in page:
        return None
    return page.split('rel="next" href="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")


def _statements(site: Site, address: str) -> list[str]:
    site.operator.get(address)
    with counted_statements() as statements:
        site.operator.get(address)
    return list(statements)
