"""Scanning: which product a text means, and what is done with it; a page that works without a script too."""

import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from inventory_core import new_operation_id
from inventory_core.catalog.products import retire_product
from inventory_core.queries.movements import movement_history
from tests.web.blueprints.labels.label_reading import texts_read
from tests.web.blueprints.site import Site, Visitor, form_in

EAN, UPC = "8412345678905", "036000291452"


def scan(person: Visitor, text: str, mode: str = "open", **fields: str) -> TestResponse:
    return person.post("/scan", {"code": text, "mode": mode, "operation": new_operation_id(), **fields})


def count_form(answer: TestResponse) -> dict[str, str]:
    return form_in(answer.text, "/scan/count")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("TL-001", "tl-001"),
        ("TL-001", "  TL-001\r\n"),
        ("Caja azul", "caja \n azul"),
        ("TL-001", "https://stock.example/scan?code=TL-001"),
        ("A/1 ñ", "http://192.168.1.10:8000/app/scan?mode=count&code=A%2F1+%C3%B1"),
        (EAN, EAN),
        (EAN, f"0{EAN}"),
        (UPC, f"0{UPC}"),
        (f"0{UPC}", UPC),
        (UPC, f"00{UPC}"),
        ("https://stock.example/other?code=X", "https://stock.example/other?code=X"),
    ],
)
def test_a_scanned_text_opens_the_product_that_it_means(site: Site, code: str, text: str) -> None:
    site.create_product(code)
    site.create_product("X")
    product = scan(site.operator, code).headers["Location"]

    assert product.startswith("/products/")
    assert scan(site.operator, text).headers["Location"] == product
    assert site.operator.get("/scan", code=text).headers["Location"] == product


def test_a_code_as_typed_goes_before_every_other_meaning(site: Site) -> None:
    for code in (UPC, f"0{UPC}", "A-1", "A'1"):
        site.create_product(code)

    for code in (UPC, f"0{UPC}", "A-1", "A'1"):
        assert scan(site.operator, code).headers["Location"] == f"/products/{code}"


@pytest.mark.parametrize("text", ["TL'001", "httpsÑ--stock.example-scan_code¡TL'001"])
def test_what_a_spanish_keyboard_makes_of_a_scan_is_understood_and_reported(site: Site, text: str) -> None:
    site.create_product("TL-001")

    assert scan(site.operator, text).headers["Location"] == "/products/TL-001"
    page = site.operator.get("/scan", code=text, mode="count").text
    assert "y se entendió «TL-001»" in page


@pytest.mark.parametrize(
    "text", ["nada", "<b>1</b>", "\U0001f4e6", "x" * 5_000, "http://[", "\x00", "https://a/scan?code="]
)
def test_an_unknown_code_is_reported_and_an_operator_can_register_it(site: Site, viewer: Visitor, text: str) -> None:
    answer = scan(site.operator, text)

    assert answer.status_code == 404
    assert "No hay ningún producto con el código «" in answer.text
    assert "<b>1" not in answer.text
    assert ("Registrar este producto" in answer.text) == (len(text) <= 64)
    assert "Registrar este producto" not in scan(viewer, text).text


def test_the_form_of_a_new_product_begins_with_the_unknown_code(site: Site) -> None:
    link = re.findall(r'href="(/products/new\?[^"]+)"', scan(site.operator, 'A"1 & ñ').text)[0]

    assert form_in(site.operator.get(link.replace("&amp;", "&")).text, "")["code"] == 'A"1 & ñ'


def test_a_scan_without_a_code_is_refused(site: Site) -> None:
    answer = scan(site.operator, "  \n ")

    assert answer.status_code == 422
    assert "Escanee o escriba un código." in answer.text


def test_a_count_goes_to_the_quantity_and_back_to_the_field_for_the_next_scan(site: Site) -> None:
    site.create_product("A-1", name="Mesa", quantity=5)

    requested = scan(site.operator, "a-1", "count")
    page = site.operator.get(requested.headers["Location"])
    fields = count_form(page)
    saved = site.operator.post("/scan/count", fields | {"quantity": "7"})
    after = site.operator.get(saved.headers["Location"]).text

    assert (requested.status_code, saved.status_code) == (303, 303)
    assert re.search(r'id="count-1"[^>]*autofocus', page.text, flags=re.DOTALL)
    assert (fields["expected"], fields["location"], fields["quantity"]) == ("5", "Principal", "5")
    assert site.quantity("A-1") == 7
    assert "«A-1» en Principal: 5 → 7" in after
    assert re.search(r'id="scan"[^>]*autofocus', after, flags=re.DOTALL)
    assert re.search(r"Recuento: 5 → <strong>7</strong></span>\s*<small[^>]*>Principal · olga", after)


def test_a_count_that_agrees_is_recorded_as_done(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    fields = count_form(site.operator.get("/scan", code="A-1", mode="count"))

    after = site.operator.get(site.operator.post("/scan/count", fields).headers["Location"]).text

    assert "«A-1» en Principal: 5, como estaba" in after
    assert "Deshacer" not in after
    latest = movement_history(site.inventory, code="A-1").rows[0]
    assert (latest.kind, latest.quantity) == ("count", 0)


def test_a_count_sent_twice_is_one(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    fields = count_form(site.operator.get("/scan", code="A-1", mode="count")) | {"quantity": "9"}

    for _ in range(2):
        assert site.operator.post("/scan/count", fields).status_code == 303
    assert len(movement_history(site.inventory, code="A-1").rows) == 2


def test_a_count_over_a_change_of_another_user_shows_both_numbers_and_keeps_what_was_typed(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    fields = count_form(site.operator.get("/scan", code="A-1", mode="count"))
    scan(site.operator, "A-1", "add")

    answer = site.operator.post("/scan/count", fields | {"quantity": "9"})

    assert answer.status_code == 409
    assert "Usted vio 5; ahora hay 6." in answer.text
    again = count_form(answer)
    assert (again["quantity"], again["expected"]) == ("9", "6")
    assert site.quantity("A-1") == 6
    assert site.operator.post("/scan/count", again).status_code == 303
    assert site.quantity("A-1") == 9


@pytest.mark.parametrize("typed", ["", "1,5", "-1", "muchas", "9" * 40])
def test_a_quantity_that_cannot_be_is_refused_next_to_its_field(site: Site, typed: str) -> None:
    site.create_product("A-1", quantity=5)
    fields = count_form(site.operator.get("/scan", code="A-1", mode="count"))

    answer = site.operator.post("/scan/count", fields | {"quantity": typed})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert count_form(answer)["quantity"] == typed
    assert site.quantity("A-1") == 5


def test_a_product_in_several_places_is_counted_place_by_place(site: Site) -> None:
    site.create_location("Tienda")
    site.create_product("A-1", quantity=5)
    site.operator.post("/scan/count", {"code": "A-1", "location": "Tienda", "quantity": "2", "expected": "0"})
    page = site.operator.get("/scan", code="A-1", mode="count")
    first = count_form(page)

    left = site.operator.get(site.operator.post("/scan/count", first | {"quantity": "4"}).headers["Location"])
    second = count_form(left)
    done = site.operator.get(site.operator.post("/scan/count", second | {"quantity": "3"}).headers["Location"])

    assert page.text.count('action="/scan/count"') == 2
    assert (first["location"], second["location"]) == ("Principal", "Tienda")
    assert left.text.count('action="/scan/count"') == 1
    assert 'action="/scan/count"' not in done.text
    assert (site.quantity_in("A-1", "Principal"), site.quantity_in("A-1", "Tienda")) == (4, 3)


def test_who_says_where_they_are_counts_there_until_they_say_otherwise(site: Site) -> None:
    site.create_location("Tienda")
    site.create_product("A-1", quantity=5)

    scan(site.operator, "A-1", "count", place="Tienda")
    page = site.operator.get("/scan", code="A-1", mode="count")

    assert (count_form(page)["location"], count_form(page)["expected"]) == ("Tienda", "0")
    assert form_in(site.operator.get("/scan").text, "/scan")["place"] == "Tienda"


def test_quick_modes_change_by_one_with_each_scan_and_offer_to_take_it_back(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    scan(site.operator, "A-1", "add")
    scan(site.operator, "A-1", "add")
    scan(site.operator, "A-1", "take")
    page = site.operator.get("/scan").text
    undo = re.findall(r'action="(/movements/\d+/undo)"', page)

    assert "«A-1» en Principal: 7 → 6" in page
    assert form_in(page, "/scan")["mode"] == "take"
    site.operator.post(undo[-1])
    assert site.quantity("A-1") == 7


def test_the_same_scan_sent_twice_counts_once(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    for _ in range(2):
        site.operator.post("/scan", {"code": "A-1", "mode": "add", "operation": "one-scan"})

    assert site.quantity("A-1") == 6


def test_nothing_is_taken_from_an_empty_shelf_or_from_a_place_left_open(site: Site) -> None:
    site.create_location("Tienda")
    site.create_product("A-1")
    site.create_product("B-2", quantity=3)
    site.operator.post("/scan/count", {"code": "B-2", "location": "Tienda", "quantity": "2", "expected": "0"})

    empty, several = scan(site.operator, "A-1", "take"), scan(site.operator, "B-2", "take")

    assert (empty.status_code, several.status_code) == (422, 422)
    assert "elija arriba en cuál está usted" in several.text
    assert (site.quantity("A-1"), site.quantity("B-2")) == (0, 5)


def test_a_retired_product_is_opened_and_not_counted(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    retire_product(site.inventory, code="A-1", actor="prueba", operation=new_operation_id())

    assert scan(site.operator, "A-1").headers["Location"] == "/products/A-1"
    assert "«A-1» está eliminado." in scan(site.operator, "A-1", "count").text
    assert scan(site.operator, "A-1", "add").status_code == 409
    assert 'action="/scan/count"' not in site.operator.get("/scan", code="A-1", mode="count").text


def test_a_viewer_opens_products_and_changes_none(site: Site, viewer: Visitor) -> None:
    site.create_product("A-1", quantity=5)

    assert 'name="mode"' not in viewer.get("/scan").text
    assert scan(viewer, "A-1", "add").headers["Location"] == "/products/A-1"
    assert viewer.post("/scan/count", {"code": "A-1", "quantity": "1", "expected": "5"}).status_code == 403
    assert site.quantity("A-1") == 5


def test_a_scan_changes_nothing_if_a_reason_is_required(make_site: Callable[..., Site]) -> None:
    make_site().create_product("A-1", quantity=5)
    site = make_site(reason_required=True)

    assert re.findall(r'name="mode" value="(\w+)"', site.operator.get("/scan").text) == ["open", "count"]
    assert scan(site.operator, "A-1", "add").headers["Location"] == "/products/A-1"
    assert site.quantity("A-1") == 5


def test_a_script_gets_what_changes_alone(site: Site) -> None:
    site.create_product("A-1", quantity=5)
    answer = site.operator.post("/scan", {"code": "A-1", "mode": "count"}, htmx=True)
    opened = site.operator.post("/scan", {"code": "A-1", "mode": "open"}, htmx=True)

    assert answer.text.lstrip().startswith('<div id="scan-work"')
    assert count_form(answer)["expected"] == "5"
    assert opened.headers["HX-Redirect"] == "/products/A-1"


def test_only_the_page_that_scans_may_ask_for_the_camera(site: Site) -> None:
    allowed = {
        address: "camera=(self)" in site.operator.get(address).headers["Permissions-Policy"]
        for address in ("/scan", "/scan?code=nada", "/inventory", "/labels", "/nowhere")
    }

    assert allowed == {"/scan": True, "/scan?code=nada": True, "/inventory": False, "/labels": False, "/nowhere": False}


def test_the_address_on_a_label_leads_to_its_product(site: Site) -> None:

    site.create_product("A/1 ñ")
    page = site.operator.post("/labels/print", {"codes": "A/1 ñ", "holds": "address", "part": "code"}).text
    (address,) = texts_read(page)

    assert address == "http://localhost/scan?code=A/1+%C3%B1"
    assert site.operator.get(address.removeprefix("http://localhost")).headers["Location"] == "/products/A~2F1%20%C3%B1"
