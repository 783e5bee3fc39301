import pytest

from inventory_core import FileRefused
from inventory_core.exporting.columns import LANGUAGES, TITLES
from tests.core.imports.files import Rows, table_of

pytestmark = pytest.mark.usefixtures("parse_here")


def refusal(rows: Rows) -> tuple[str, str]:
    with pytest.raises(FileRefused) as caught:
        table_of(rows)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_header_of_an_export_is_understood(language: str) -> None:
    table = table_of([[titles[language] for titles in TITLES.values()]])

    assert table.places == {field: place for place, field in enumerate(TITLES)}
    assert table.unused_columns == ()


def test_headers_are_understood_without_accents_and_case() -> None:
    table = table_of([["CODIGO", " nombre ", "descripcion", "Categoria", "MÍNIMO", "existencias"]])

    assert set(table.places) == {"code", "name", "description", "category", "minimum", "quantity"}


@pytest.mark.parametrize("header", ["Eliminado", "Retirado", "Retired"])
def test_the_header_of_retired_products_is_understood_in_old_and_new_files(header: str) -> None:
    assert table_of([["code", "name", header]]).places["retired"] == 2


def test_the_kind_of_a_file_shows_in_its_columns() -> None:
    assert table_of([["code", "name"]]).kind == "products"
    assert table_of([["code", "name", "location", "quantity"]]).kind == "products"
    assert table_of([["code", "location", "quantity"]]).kind == "stock"


def test_columns_that_are_not_known_are_named_as_unused() -> None:
    table = table_of([["code", "Color", "name", "", "Estado"]])

    assert table.unused_columns == ("Color", "Estado")


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (["name", "quantity"], "code"),
        (["A-1", "Chair"], "code"),
        (["code", "quantity"], "name"),
        (["code", "description"], "name"),
        (["code", "location"], "quantity"),
    ],
)
def test_a_missing_column_is_named(header: list[str], missing: str) -> None:
    assert refusal([header]) == ("missing_column", missing)


def test_two_columns_of_one_field_are_refused() -> None:
    assert refusal([["code", "name", "Nombre"]]) == ("doubled_column", "Nombre")
    assert refusal([["Código", "codigo", "name"]]) == ("doubled_column", "codigo")
