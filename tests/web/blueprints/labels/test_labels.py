"""Labels: products, sheets, and whether a reader decodes the printed codes."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from inventory_core import new_operation_id
from inventory_core.catalog.products import retire_product
from tests.web.blueprints.labels.label_reading import formats_read, texts_read
from tests.web.blueprints.site import Site, Visitor, form_in

EAN = "8412345678905"


def print_labels(person: Visitor, codes: str, **fields: Any) -> TestResponse:
    return person.post("/labels/print", {"codes": codes, "part": ["code", "name"], **fields})


def labels_in(page: str) -> list[str]:
    """The texts of the labels, from the first to the last."""
    labels = re.findall(
        r'<div class="label of-\w+">(.*?)</div>\s*</div>|<div class="label-free">()</div>', page, flags=re.DOTALL
    )
    return [" ".join(re.sub(r"<[^>]+>", " ", label or "").split()) for label, _ in labels]


@pytest.mark.slow
@pytest.mark.parametrize(
    "code", ["TL-001", "a", "Ñandú 7/3", "\U0001f4e6-1", "漢字-9", "X" * 64, "http://a.b/?c=d&e=f", EAN]
)
def test_the_qr_code_of_a_label_reads_as_the_code_of_its_product(site: Site, code: str) -> None:
    site.create_product(code)

    page = print_labels(site.operator, code).text

    assert texts_read(page) == [code]


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("TL-001", "Code 128", "TL-001"),
        ("abc 12345678 x", "Code 128", "abc 12345678 x"),
        ("8412345678906", "Code 128", "8412345678906"),
        (EAN, "EAN-13", EAN),
        ("96385074", "EAN-8", "96385074"),
        ("036000291452", "UPC-A", "036000291452"),
    ],
)
def test_bars_read_as_the_code_and_are_those_of_shops_where_it_is_one_of_theirs(
    site: Site, code: str, kind: str, text: str
) -> None:
    site.create_product(code)

    page = print_labels(site.operator, code, symbol="bars").text

    assert [found.lstrip("0") for found in texts_read(page)] == [text.lstrip("0")]
    assert formats_read(page)[0] in (kind, "EAN-13" if kind == "UPC-A" else kind)


@pytest.mark.parametrize("code", ["Ñ-1", "X" * 64])
def test_a_code_that_no_bars_can_hold_gets_a_qr_code_and_the_page_says_so(site: Site, code: str) -> None:
    site.create_product(code)

    page = print_labels(site.operator, code, symbol="both").text

    assert formats_read(page) == ["QR Code"]
    assert f"No caben como código de barras en esta etiqueta, y llevan solo el QR: «{code}»." in page


def test_pasted_codes_are_found_however_they_are_separated(site: Site) -> None:
    for code in ("A-1", "B-2", "C-3", "Caja azul"):
        site.create_product(code, name=f"Nombre {code}")

    page = print_labels(site.operator, "  a-1  \r\n\r\ncaja   azul\nB-2, c-3;A-1\r\nA-1\tMesa\t7\n").text

    assert labels_in(page) == [f"{code} Nombre {code}" for code in ("A-1", "Caja azul", "B-2", "C-3")]


def test_what_does_not_exist_or_is_retired_is_named_next_to_the_field_and_nothing_typed_is_lost(site: Site) -> None:
    site.create_product("A-1")
    site.create_product("B-2")
    retire_product(site.inventory, code="B-2", actor="prueba", operation=new_operation_id())

    answer = print_labels(site.operator, "A-1\nno <existe>\nb-2", first="7", symbol="both")

    assert answer.status_code == 422
    assert "No existe: «no &lt;existe&gt;»." in answer.text
    assert "Está eliminado: «B-2»." in answer.text
    fields = form_in(answer.text, "/labels/print")
    assert (fields["codes"], fields["first"], fields["symbol"]) == ("A-1\nno <existe>\nb-2", "7", "both")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"codes": " \n\t\n"}, "Escriba al menos un código."),
        ({"copies": "0"}, "Escriba un número entre 1 y 100."),
        ({"copies": "1,5"}, "Escriba un número entero"),
        ({"first": "25"}, "Escriba un número entre 1 y 24."),
        ({"x": "mucho"}, "Escriba milímetros entre -10 y 10"),
        ({"y": "nan"}, "Escriba milímetros entre -10 y 10"),
        ({"sheet": "../../etc"}, "No existe: «../../etc». Elija uno de la lista."),
        ({"symbol": "morse"}, "No existe: «morse»."),
        ({"codes": "x " * 31_000}, "Imprima las etiquetas por partes."),
        ({"codes": "\n".join(f"N{number}" for number in range(2_500))}, "Imprima las etiquetas por partes."),
    ],
    ids=str,
)
def test_what_cannot_be_printed_is_refused_with_what_is_allowed(
    site: Site, fields: dict[str, str], sentence: str
) -> None:
    site.create_product("A-1")

    answer = print_labels(site.operator, **{"codes": "A-1", **fields})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_copies_are_a_number_or_as_many_as_there_are_pieces(site: Site) -> None:
    site.create_product("A-1", name="Mesa", quantity=3)
    site.create_product("B-2", name="Silla")

    fixed = print_labels(site.operator, "A-1\nB-2", copies="2").text
    by_quantity = print_labels(site.operator, "A-1\nB-2", amount="quantity").text

    assert labels_in(fixed) == ["A-1 Mesa"] * 2 + ["B-2 Silla"] * 2
    assert labels_in(by_quantity) == ["A-1 Mesa"] * 3
    assert (
        "De ninguno de estos productos hay existencias." in print_labels(site.operator, "B-2", amount="quantity").text
    )


def test_more_than_a_thousand_labels_are_refused_before_any_is_made(site: Site) -> None:
    site.create_product("A-1", quantity=1_000_000_000)
    site.create_product("B-2", quantity=1_000)

    answer = print_labels(site.operator, "A-1", amount="quantity")

    assert answer.status_code == 422
    assert "Serían 1.000.000.000 etiquetas; se imprimen 1.000 de una vez." in answer.text
    assert len(labels_in(print_labels(site.operator, "B-2", amount="quantity").text)) == 1_000


def test_a_sheet_that_was_begun_is_filled_from_its_first_free_position(site: Site) -> None:
    site.create_product("A-1", name="Mesa")

    page = print_labels(site.operator, "A-1", first="23", copies="3").text

    assert labels_in(page) == [""] * 22 + ["A-1 Mesa"] * 3
    assert page.count('<div class="label-sheet"') == 2


def test_only_what_is_chosen_is_on_a_label(site: Site) -> None:
    site.create_location("Tienda")
    site.create_product("A-1", name="<b>Mesa</b>", category="Hogar", quantity=1_234, location="Tienda")

    everything = print_labels(site.operator, "A-1", part=["code", "name", "category", "location", "quantity"]).text
    nothing = print_labels(site.operator, "A-1", part=[]).text

    assert labels_in(everything) == ["A-1 &lt;b&gt;Mesa&lt;/b&gt; Hogar · Tienda · Cantidad: 1.234"]
    assert labels_in(nothing) == [""]
    assert texts_read(nothing) == ["A-1"]


def test_the_form_is_filled_from_a_code_a_filter_or_a_selection(site: Site) -> None:
    for code in ("A-1", "B-2", "C-3"):
        site.create_product(code, category="Hogar" if code != "B-2" else "Ropa")
    page = site.operator.get("/inventory").text
    keys = re.findall(r'name="?p"? value="?(\d+\.\d+)', page)

    def codes(answer: TestResponse) -> list[str]:
        return form_in(answer.text, "/labels/print")["codes"].split()

    assert codes(site.operator.get("/labels")) == []
    assert codes(site.operator.get("/labels", code="B-2")) == ["B-2"]
    assert codes(site.operator.get("/labels", list="1", category="Hogar", sort="-code")) == ["C-3", "A-1"]
    assert codes(site.operator.post("/labels", {"all": "1", "category": "Ropa"})) == ["B-2"]
    if keys:
        assert sorted(codes(site.operator.post("/labels", {"p": keys}))) == ["A-1", "B-2", "C-3"]


def test_choices_are_kept_for_the_next_time_and_for_the_way_back(site: Site) -> None:
    site.create_product("A-1")
    print_labels(site.operator, "A-1", sheet="roll-50x25", symbol="bars", part=["name"], x="1,5", outlines="1")
    again = site.operator.get("/labels").text
    back = site.operator.post(
        "/labels/change", {"codes": "A-1\nB", "sheet": "a4-4x10", "part": ["code"], "copies": "4"}
    ).text

    kept = form_in(again, "/labels/print")
    assert (kept["sheet"], kept["symbol"], kept["part"], kept["x"], kept["outlines"]) == (
        "roll-50x25",
        "bars",
        "name",
        "1,5",
        "1",
    )
    assert kept["codes"] == ""
    returned = form_in(back, "/labels/print")
    assert (returned["codes"], returned["sheet"], returned["copies"], returned["part"]) == (
        "A-1\nB",
        "a4-4x10",
        "4",
        "code",
    )


@pytest.mark.parametrize("key", ["a4-3x8", "a4-4x10", "letter-5160", "roll-62x29", "roll-50x25"])
def test_the_labels_of_every_paper_lie_inside_it(site: Site, key: str) -> None:
    style = site.operator.get(f"/labels/{key}.css").text

    def lengths(rule: str) -> list[float]:
        found = re.search(rf"{rule}([^;]+);", style)
        assert found, rule
        return [float(text) for text in re.findall(r"([\d.]+)mm", found[1])]

    page_width, page_height = lengths(r"@page \{ size: ")
    (width,), (height,) = lengths(r"grid-template-columns: "), lengths(r"grid-auto-rows: ")
    columns = int(re.findall(r"repeat\((\d+),", style)[0])
    top, left = lengths("padding: ")
    row_gap, column_gap = lengths("gap: ")
    rows = {"a4-3x8": 8, "a4-4x10": 10, "letter-5160": 10}.get(key, 1)

    assert columns * width + (columns - 1) * column_gap + 2 * left == pytest.approx(page_width)
    assert rows * height + (rows - 1) * row_gap + 2 * top == pytest.approx(page_height)


def test_measures_are_numbers_within_bounds(site: Site, viewer: Visitor) -> None:
    moved = viewer.get("/labels/a4-3x8.css", x="1.5", y="-2")

    assert moved.mimetype == "text/css"
    assert "translate: 1.5mm -2.0mm" in moved.text
    assert "translate" not in viewer.get("/labels/a4-3x8.css", x="}body{display:none").text
    for address in ("/labels/a4-3x8.css?x=11", "/labels/a4-3x8.css?x=nan", "/labels/nothing.css"):
        assert site.operator.get(address).status_code == 404


def test_a_product_leads_to_its_label(site: Site, viewer: Visitor) -> None:
    site.create_product("A/1 ñ")

    page = viewer.get("/products/A~2F1%20%C3%B1").text

    assert 'href="/labels?code=A/1+%C3%B1"' in page
    assert 'aria-label="Código QR de A/1 ñ"' in page
