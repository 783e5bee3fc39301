"""The download is the list: the same filter, the same order, every row."""

import csv
import io

import pytest
from python_calamine import CalamineWorkbook

from tests.web.blueprints.site import Site, Visitor


@pytest.fixture
def filled(site: Site) -> Site:
    site.create_location("Almacén")
    site.create_product("A", name="Lámpara", quantity=3, minimum=5, category="Hogar", location="Almacén")
    site.create_product("B", name="=1+1", quantity=9, category="Hogar")
    site.create_product("C", name="Camisa", category="Ropa")
    return site


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["A", "B", "C"]),
        ("search=LAMPARA", ["A"]),
        ("category=Hogar&sort=-code", ["B", "A"]),
        ("status=out_of_stock", ["C"]),
        ("status=low_stock&location=Almacén", ["A"]),
        ("search=nada", []),
    ],
)
def test_both_files_hold_exactly_what_the_list_shows(filled: Site, query: str, codes: list[str]) -> None:
    sort = "" if "sort" in query else "&sort=code"

    table = filled.operator.get(f"/inventory/export.csv?{query}{sort}")
    workbook = filled.operator.get(f"/inventory/export.xlsx?{query}{sort}")

    assert [row[0] for row in _csv(table.data)[1:]] == codes
    assert [row[0] for row in _xlsx(workbook.data)[1:]] == codes


def test_the_files_come_as_downloads_with_a_name_and_a_type(filled: Site) -> None:
    table = filled.operator.get("/inventory/export.csv")
    workbook = filled.operator.get("/inventory/export.xlsx")

    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert workbook.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    for answer, suffix in ((table, "csv"), (workbook, "xlsx")):
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename=inventario-")
        assert disposition.endswith(f".{suffix}")


def test_the_status_is_a_column_of_the_file(filled: Site) -> None:
    rows = _csv(filled.operator.get("/inventory/export.csv?sort=code").data)
    place = rows[0].index("Estado")

    assert [row[place] for row in rows[1:]] == ["Bajo mínimo", "Disponible", "Agotado"]


def test_a_text_that_looks_like_a_formula_stays_text(filled: Site) -> None:
    rows = _xlsx(filled.operator.get("/inventory/export.xlsx?search=1%2B1").data)

    assert "=1+1" in rows[1]


def test_a_viewer_may_export_and_a_stranger_may_not(filled: Site, viewer: Visitor) -> None:
    assert viewer.get("/inventory/export.csv").status_code == 200
    assert filled.app.test_client().get("/inventory/export.csv").status_code == 302


def test_a_status_that_does_not_exist_is_refused_and_no_file_comes(filled: Site) -> None:
    answer = filled.operator.get("/inventory/export.csv?status=broken")

    assert answer.status_code == 422
    assert "Content-Disposition" not in answer.headers


def test_the_list_links_to_the_files_with_its_own_filter(filled: Site) -> None:
    page = filled.operator.get("/inventory?search=mesa&status=available&sort=-quantity", htmx=True).text

    for kind in ("xlsx", "csv"):
        assert f'href="/inventory/export.{kind}?search=mesa&amp;status=available&amp;sort=-quantity"' in page


def _csv(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), dialect=csv.Sniffer().sniff(text.splitlines()[0], ",;\t")))


def _xlsx(content: bytes) -> list[list[object]]:
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [list(row) for row in workbook.get_sheet_by_index(0).to_python()]
