import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from inventory_core import InvalidInput, Inventory, Status, export_stock
from inventory_core.catalog.products import retire_product
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import get_product
from inventory_core.testing import create_location, create_product, new_request
from tests.core.exports.reading import Colour, exported, member, sheets, with_plugins


def test_a_row_has_typed_cells(inventory: Inventory) -> None:
    create_product(inventory, "007", name="Lámpara", description="one\ntwo", category="Hogar", minimum=9, quantity=12)

    [header, row] = sheets(exported(inventory))["Productos"]

    assert header == [
        "Código", "Nombre", "Descripción", "Categoría", "Cantidad", "Mínimo", "Eliminado", "Último cambio"
    ]  # fmt: skip
    assert row[:7] == ["007", "Lámpara", "one\ntwo", "Hogar", 12.0, 9.0, "no"]
    changed = get_product(inventory, "007").row.changed_at
    assert isinstance(row[7], datetime)
    assert abs(row[7].replace(tzinfo=UTC) - changed) < timedelta(milliseconds=2)


def test_the_language_decides_headers_words_and_the_name_of_the_sheet(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    retire_product(inventory, code="A-1", **new_request())

    [spanish] = sheets(exported(inventory, ProductFilter(status=Status.RETIRED))).items()
    [english] = sheets(exported(inventory, ProductFilter(status=Status.RETIRED), language="en")).items()

    assert (spanish[0], spanish[1][1][6]) == ("Productos", "sí")
    assert (english[0], english[1][1][6]) == ("Products", "yes")
    assert english[1][0][:2] == ["Code", "Name"]
    with pytest.raises(InvalidInput, match="language: unknown"):
        exported(inventory, language="fr")


def test_the_header_is_frozen_and_filters_every_row(inventory: Inventory) -> None:
    for number in range(3):
        create_product(inventory, f"A-{number}")

    xml = member(exported(inventory), "xl/worksheets/sheet1.xml")

    assert re.search(r'<pane ySplit="1"[^>]*state="frozen"', xml)
    assert '<autoFilter ref="A1:H4"/>' in xml
    assert re.findall(r'<col min="(\d)" max="(\d)"', xml) == [
        (*"11",),
        (*"22",),
        (*"33",),
        (*"44",),
        (*"57",),
        (*"88",),
    ]


@pytest.mark.parametrize("text", ["=1+1", "+34", "-5", "@SUM(A1)", '=HYPERLINK("http://x")', "http://x.example", "12"])
def test_every_text_stays_text_even_when_a_person_edits_the_cell(inventory: Inventory, text: str) -> None:
    create_product(inventory, text, name=text, description=text)

    content = exported(inventory)

    assert sheets(content)["Productos"][1][:3] == [text, text, text]
    xml = member(content, "xl/worksheets/sheet1.xml")
    assert "<f>" not in xml
    assert "<hyperlink" not in xml
    if text[0] in "=+-@":
        assert 'quotePrefix="1"' in member(content, "xl/styles.xml")
        assert re.search(r'<c r="A2" s="\d+" t="inlineStr">', xml)


def test_what_does_not_fit_on_a_sheet_goes_to_a_further_one(inventory: Inventory) -> None:
    for number in range(5):
        create_product(inventory, f"A-{number}")

    content = exported(inventory, rows_per_sheet=2)

    found = sheets(content)
    assert list(found) == ["Productos", "Productos 2", "Productos 3"]
    assert [[row[0] for row in rows] for rows in found.values()] == [
        ["Código", "A-0", "A-1"],
        ["Código", "A-2", "A-3"],
        ["Código", "A-4"],
    ]
    assert '<autoFilter ref="A1:H2"/>' in member(content, "xl/worksheets/sheet3.xml")


def test_a_full_sheet_brings_no_empty_one(inventory: Inventory) -> None:
    for number in range(4):
        create_product(inventory, f"A-{number}")

    assert list(sheets(exported(inventory, rows_per_sheet=2))) == ["Productos", "Productos 2"]


def test_nothing_found_is_a_header_alone(inventory: Inventory) -> None:
    assert len(sheets(exported(inventory))["Productos"]) == 1


def test_exactly_the_filter_is_exported_in_the_order_requested(inventory: Inventory) -> None:
    for code, category, quantity in (("A", "Hogar", 1), ("B", "Ropa", 2), ("C", "Hogar", 3), ("D", "Hogar", 0)):
        create_product(inventory, code, category=category, quantity=quantity)

    rows = sheets(exported(inventory, ProductFilter(category="hogar", status="available"), sort="-quantity"))[
        "Productos"
    ]

    assert [row[0] for row in rows[1:]] == ["C", "A"]


def test_with_a_location_the_file_says_where_and_how_much_is_there(inventory: Inventory) -> None:
    create_location(inventory, "Taller")
    create_product(inventory, "A-1", quantity=3, location="Taller")
    create_product(inventory, "A-2", quantity=4)

    [header, row] = sheets(exported(inventory, ProductFilter(location="taller")))["Productos"]

    assert header[4:6] == ["Ubicación", "Cantidad"]
    assert (row[0], row[4], row[5]) == ("A-1", "Taller", 3)


def test_plugins_add_columns_of_texts_and_numbers(inventory: Inventory) -> None:
    create_product(inventory, "A-1", minimum=5)
    create_product(inventory, "A-2", quantity=5)

    [header, first, second] = sheets(exported(with_plugins(inventory, Colour())))["Productos"]

    assert header[8:] == ["Estado", "Por comprar"]
    assert (first[8:], second[8:]) == (["=NADA", 5], ["queda", ""])


def test_two_columns_of_one_name_are_an_error_of_the_plugins(inventory: Inventory) -> None:
    with pytest.raises(ValueError, match="'Estado'"):
        exported(with_plugins(inventory, Colour(), Colour()))


def test_stock_is_exported_by_product_and_place(inventory: Inventory) -> None:
    create_location(inventory, "Taller")
    create_product(inventory, "A-1", name="Chair", quantity=3, location="Taller")
    create_product(inventory, "A-2", name="Table", quantity=4)
    file = io.BytesIO()

    number = export_stock(inventory, ProductFilter(), file, "xlsx")

    assert number == 2
    assert sheets(file.getvalue())["Existencias"] == [
        ["Código", "Nombre", "Ubicación", "Cantidad"],
        ["A-1", "Chair", "Taller", 3],
        ["A-2", "Table", "Principal", 4],
    ]
