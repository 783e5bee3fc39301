import io

from inventory_core import Inventory, export_products, export_stock
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import get_product
from inventory_core.testing import create_product
from tests.core.exports.reading import Colour, with_plugins


def lines(inventory: Inventory, language: str = "es") -> list[str]:
    file = io.BytesIO()
    export_products(inventory, ProductFilter(), file, "csv", language=language)
    return file.getvalue().decode().split("\r\n")


def test_a_csv_file_is_one_that_spreadsheets_open(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name='Mesa "grande", roja', category="Hogar", minimum=1, quantity=2)
    changed = get_product(inventory, "A-1").row.changed_at.isoformat(timespec="microseconds").replace("+00:00", "Z")

    assert lines(inventory) == [
        "\ufeffCódigo,Nombre,Descripción,Categoría,Cantidad,Mínimo,Eliminado,Último cambio",
        f'A-1,"Mesa ""grande"", roja",,Hogar,2,1,no,{changed}',
        "",
    ]
    assert lines(inventory, language="en")[0].startswith("\ufeffCode,Name,")


def test_what_looks_like_a_formula_is_guarded_in_every_text(inventory: Inventory) -> None:
    create_product(inventory, "=A1", name="-5", description="@x\ny", category="+z")

    assert lines(with_plugins(inventory, Colour()))[1].startswith("'=A1,'-5,\"'@x\ny\",'+z,0,0,no,")
    assert lines(with_plugins(inventory, Colour()))[1].endswith(",'=NADA,")


def test_stock_is_exported_by_product_and_place(inventory: Inventory) -> None:
    create_product(inventory, "A-1", name="Chair", quantity=3)
    file = io.BytesIO()

    assert export_stock(inventory, ProductFilter(), file, "csv", language="en") == 1
    assert file.getvalue().decode() == "\ufeffCode,Name,Location,Quantity\r\nA-1,Chair,Principal,3\r\n"
