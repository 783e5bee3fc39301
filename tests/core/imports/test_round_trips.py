"""What an export wrote, an import takes back without changing anything."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_core import (
    ExportColumn,
    Inventory,
    ProductDraft,
    Status,
    build_plugin_manager,
    export_products,
    export_stock,
    hookimpl,
    import_table,
    preview_import,
    read_table,
    register_product,
)
from inventory_core.catalog.products import retire_product
from inventory_core.exporting.export import ExportFormat
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.testing import create_location, create_product, new_request, temporary_inventory
from inventory_core.verification import verify
from tests.core.imports.files import import_rows
from tests.core.imports.stored import balances, contents

pytestmark = pytest.mark.usefixtures("parse_here")

WEIRD = (
    "=1+1",
    "'=x",
    "''-1",
    "+34 600",
    "@a",
    "007",
    "1e5",
    "TRUE",
    "_x0041_",
    "<b>&amp;",
    'say "x"',
    "a;b,c\td",
    "ﬁ ½ Ⅷ 😀",
)
STORED = ("product", "balance", "movement", "category", "location", "product_revision")
FORMATS = pytest.mark.parametrize("kind", ["xlsx", "csv"])
LANGUAGES = pytest.mark.parametrize("language", ["es", "en"])


class StateColumn:
    """A column of a plugin, as the web adds one."""

    @hookimpl
    def export_columns(self) -> list[ExportColumn]:
        return [ExportColumn("Estado", lambda row: "=bajo" if row.quantity < row.minimum else "-")]


@pytest.fixture
def catalogue(inventory: Inventory) -> Inventory:
    """Products with odd texts, in several places, some retired, and a plugin that adds a column."""
    create_location(inventory, "Taller")
    for number, text in enumerate(WEIRD):
        create_product(
            inventory,
            text,
            name=f"{text} {text}",
            description=f"{text}\n{text}" if number % 2 else text,
            category=text if number % 3 else None,
            minimum=number * 2 if number > 8 else 0,
            quantity=number,
            location="Taller" if number % 2 else None,
        )
    import_rows(inventory, [["code", "name", "location", "quantity"], ["=1+1", "=1+1 =1+1", "Taller", "4"]])
    for code in WEIRD[2:5]:
        retire_product(inventory, code=code, **new_request())
    return Inventory(inventory.sessions, build_plugin_manager([StateColumn()]))


def taken_back(inventory: Inventory, file: io.BytesIO, filename: str) -> tuple[int, int]:
    """Import an export; give its rows and those that changed nothing."""
    file.seek(0)
    table = read_table(file, filename=filename)
    preview = preview_import(inventory, table)

    assert preview.faults == ()
    assert set(table.unused_columns) <= {"Estado"}
    result = import_table(inventory, table, **new_request())
    return result.rows, result.unchanged


@FORMATS
@LANGUAGES
@pytest.mark.parametrize(
    "requested",
    [
        ProductFilter(),
        ProductFilter(status=Status.RETIRED),
        ProductFilter(location="Taller"),
        ProductFilter(status=Status.LOW_STOCK, search="a"),
    ],
    ids=["all", "retired", "location", "found"],
)
def test_an_export_of_products_changes_nothing(
    catalogue: Inventory,
    requested: ProductFilter,
    kind: ExportFormat,
    language: str,
) -> None:
    before = contents(catalogue, *STORED)
    file = io.BytesIO()

    number = export_products(catalogue, requested, file, kind, language=language)

    assert number > 0
    assert taken_back(catalogue, file, f"all.{kind}") == (number, number)
    assert contents(catalogue, *STORED) == before
    assert verify(catalogue).faults == ()


@FORMATS
@LANGUAGES
def test_an_export_of_stock_changes_nothing(catalogue: Inventory, kind: ExportFormat, language: str) -> None:
    before = contents(catalogue, *STORED)
    file = io.BytesIO()

    number = export_stock(catalogue, ProductFilter(), file, kind, language=language)

    assert taken_back(catalogue, file, f"stock.{kind}") == (number, number)
    assert contents(catalogue, *STORED) == before


@FORMATS
def test_an_export_builds_the_same_catalogue_elsewhere(
    catalogue: Inventory, tmp_path: Path, kind: ExportFormat
) -> None:
    (tmp_path / "other").mkdir()
    with temporary_inventory(tmp_path / "other") as other:
        for requested in (ProductFilter(), ProductFilter(status=Status.RETIRED)):
            file = io.BytesIO()
            export_products(catalogue, requested, file, kind)
            file.seek(0)
            import_table(other, read_table(file, filename=f"all.{kind}"), **new_request())

        assert fields(other) == fields(catalogue)
        assert verify(other).faults == ()


def fields(inventory: Inventory) -> list[tuple[object, ...]]:
    """Code, name, description, quantity, minimum and whether it is retired, of every product."""
    rows = (row for row in contents(inventory, "product")["product"])
    return sorted((row[1], row[3], row[5], row[7], row[8], row[-1] is not None) for row in rows)


@contextmanager
def new_inventory() -> Iterator[Inventory]:
    with TemporaryDirectory() as folder, temporary_inventory(Path(folder)) as inventory:
        yield inventory


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), max_size=5), st.sampled_from(["xlsx", "csv"]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_people_type_comes_back_unchanged(typed: list[tuple[str, str, str, str]], kind: ExportFormat) -> None:
    with new_inventory() as inventory:
        codes = set()
        for code, name, description, category in typed:
            draft = ProductDraft(code, name, description, category)
            if not draft.faults() and draft.code.casefold() not in codes:
                codes.add(draft.code.casefold())
                register_product(inventory, draft=draft, quantity=1, **new_request())
        before = contents(inventory, *STORED)
        file = io.BytesIO()

        number = export_products(inventory, ProductFilter(), file, kind)

        assert taken_back(inventory, file, f"all.{kind}") == (number, number)
        assert contents(inventory, *STORED) == before


def test_products_and_then_their_stock_make_a_catalogue(inventory: Inventory) -> None:
    products = [["code", "name", "description", "category", "minimum"]]
    products += [
        [f"FR-{number}", f"HL Road Frame {number}", "", "Road Frames" if number % 3 else "", "500"]
        for number in range(60)
    ]
    stock = [["code", "location", "quantity"]]
    stock += [[f"FR-{number}", place, str(number % 5)] for number in range(40) for place in ("Tool Crib", "Paint")]

    first, second = import_rows(inventory, products), import_rows(inventory, stock)

    assert (first.created, first.new_categories) == (60, ("Road Frames",))
    assert (second.stock_changes, second.unchanged) == (64, 16)
    assert len(balances(inventory)) == 80
    assert len(contents(inventory, "movement")["movement"]) == 64
    assert verify(inventory).faults == ()
