"""From a file to products and stock: upload, preview, confirm, undo; on any instance; all or nothing."""

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col
from xlsxwriter import Workbook

from inventory_core import StockChanged, hookimpl
from inventory_core.stock.outbox import deliver_events
from inventory_core.verification import verify
from inventory_web.db.models import JobChunk, JobRow
from tests.core.imports import hostile_files
from tests.web.blueprints.site import Site, Visitor, codes_in, form_in

PRODUCTS = "Código;Nombre;Categoría;Cantidad;Mínimo\nA;Mesa;Hogar;5;2\nB;Silla;Jardín;7;\n"
PATIENCE_SECONDS = 30
LEFT_BEHIND = {"state": "working", "step": "import", "worker": "another", "attempts": 1}


def test_a_file_shows_what_it_would_change_before_anything_is_changed(site: Site) -> None:
    site.create_product("A", name="Vieja", quantity=5)

    page = _uploaded(site, PRODUCTS)

    assert "Lista para importar" in page
    for reported in ("Productos nuevos", "Productos cambiados", "Jardín", "Importar ahora", "<del>Vieja</del> → Mesa"):
        assert reported in page
    assert codes_in(site.operator.get("/inventory").text) == ["A"]


def test_a_confirmed_file_becomes_products_and_can_be_undone(site: Site) -> None:
    address = _upload(site, PRODUCTS)
    page = site.operator.get(address).text

    confirmed = site.operator.post(f"{address}/confirm", form_in(page, f"{address}/confirm"))
    page = _finished(site, address)

    assert (confirmed.status_code, confirmed.location) == (303, address)
    assert "Importada" in page
    assert codes_in(site.operator.get("/inventory").text) == ["A", "B"]
    assert (site.quantity("A"), site.quantity("B")) == (5, 7)

    undone = site.operator.post(f"{address}/undo", form_in(page, f"{address}/undo"))

    assert undone.status_code == 303
    assert "Deshecha" in site.operator.get(address).text
    assert codes_in(site.operator.get("/inventory").text) == []
    assert verify(site.inventory).faults == ()


def test_a_second_confirmation_imports_nothing_twice(site: Site) -> None:
    address = _upload(site, PRODUCTS)

    for _ in range(2):
        assert site.operator.post(f"{address}/confirm").status_code == 303
        _finished(site, address)

    assert site.quantity("A") == 5


def test_a_second_undo_is_refused(site: Site) -> None:
    address = _imported(site, PRODUCTS)

    statuses = [site.operator.post(f"{address}/undo").status_code for _ in range(2)]

    assert statuses == [303, 409]


def test_an_import_whose_product_was_edited_since_is_not_undone(site: Site) -> None:
    address = _imported(site, PRODUCTS)
    site.operator.post("/products/A/edit", {"code": "A", "name": "Otra"})

    refused = site.operator.post(f"{address}/undo")

    assert refused.status_code == 409
    assert "«A»" in refused.text
    assert "Importada" in site.operator.get(address).text


def test_a_workbook_and_one_of_its_sheets_are_imported(site: Site) -> None:
    content = io.BytesIO()
    with Workbook(content) as book:
        book.add_worksheet("Portada").write(0, 0, "Nada")
        sheet = book.add_worksheet("Datos")
        for row, cells in enumerate((["code", "name", "quantity"], ["A", "Mesa", 5])):
            sheet.write_row(row, 0, cells)

    first = _uploaded(site, content.getvalue(), name="libro.xlsx")
    address = _upload(site, content.getvalue(), name="libro.xlsx", sheet="Datos")
    site.operator.post(f"{address}/confirm")
    _finished(site, address)

    assert "Archivo rechazado" in first
    assert site.quantity("A") == 5


@pytest.mark.parametrize(
    ("make", "reported"),
    [
        (hostile_files.far_cell, "demasiadas celdas"),
        (hostile_files.two_sheets_of_one_name, "Dos hojas se llaman «Uno»"),
        (hostile_files.nested_cells, "dañado"),
        (hostile_files.entities, "dañado"),
    ],
)
def test_a_hostile_file_is_refused_once(site: Site, make: Callable[[], bytes], reported: str) -> None:
    address = _upload(site, make(), name="libro.xlsx")

    page = _finished(site, address)

    assert "Archivo rechazado" in page
    assert reported in page
    with site.inventory.sessions.reader() as session:
        assert session.execute(select(col(JobRow.state), col(JobRow.attempts))).one() == ("refused", 1)


def test_stock_rows_set_the_balance_of_one_place(site: Site) -> None:
    site.create_product("A", quantity=1)

    _imported(site, "code,location,quantity\nA,Principal,4\nA,Sótano,6\n")

    assert (site.quantity_in("A", "Principal"), site.quantity_in("A", "Sótano")) == (4, 6)


def test_every_fault_is_reported_with_row_column_value_and_reason_and_nothing_can_be_confirmed(site: Site) -> None:
    address = _upload(site, "code,name,quantity\nA,Mesa,1\nB,Banco,1.5\n,Silla,2\nC,,x\nA,<b>Otra</b>,3\n")
    page = site.operator.get(address).text

    confirmed = site.operator.post(f"{address}/confirm")

    assert "Con errores" in page
    for reported in ("1.5", "número entero", "obligatorio", "ya aparece en la fila 2", "5 datos incorrectos"):
        assert reported in page
    assert "<b>Otra" not in page
    assert "Importar ahora" not in page
    assert confirmed.status_code == 303
    assert codes_in(site.operator.get("/inventory").text) == []


@pytest.mark.parametrize(
    ("content", "name", "reported"),
    [
        (b"", "nada.csv", "vacío"),
        (b"code,name\n", "cabecera.csv", ""),
        (b"nombre,cantidad\nMesa,1\n", "sin.csv", "Falta la columna"),
        (b"code,name,code\nA,Mesa,B\n", "doble.csv", "repetida"),
        (b"\x00\x01\x02\xff" * 100, "basura.csv", "No es un archivo de texto"),
        (b"PK\x03\x04" + b"x" * 100, "roto.xlsx", "dañado"),
        (b"code,name\nA,Mesa\n", "falso.xlsx", "dañado"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "viejo.xls", "formato antiguo"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(
    site: Site, content: bytes, name: str, reported: str
) -> None:
    address = _upload(site, content, name=name)
    page = site.operator.get(address).text

    assert reported in page
    assert "Importar ahora" not in page or name == "cabecera.csv"
    assert codes_in(site.operator.get("/inventory").text) == []


def test_without_a_file_the_form_says_so(site: Site) -> None:
    nothing = site.operator.post("/imports/new", {"sheet": ""})
    empty_field = site.operator.post("/imports/new", {"file": (io.BytesIO(b""), "")})

    for answer in (nothing, empty_field):
        assert answer.status_code == 422
        assert "obligatorio" in answer.text.split('id="file-faults">')[1][:200]


def test_a_file_that_is_too_large_is_refused_before_it_is_kept(site: Site) -> None:
    answer = site.operator.client.post(
        "/imports/new",
        input_stream=io.BytesIO(b"x" * 100),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(66 << 20)},
    )

    assert answer.status_code == 413
    assert "64 MiB" in answer.text
    assert _stored(site, JobRow) == 0


def test_a_file_name_is_text(site: Site) -> None:
    page = _uploaded(site, PRODUCTS, name="<img src=x>.csv")

    assert "<img" not in page
    assert "&lt;img src=x&gt;.csv" in page
    assert "<img" not in site.operator.get("/imports/new").text


def test_another_instance_goes_on_with_an_upload(make_site: Callable[..., Site]) -> None:
    here, there = make_site(instance="web1"), make_site(instance="web2")
    address = _upload(here, PRODUCTS)

    page = there.operator.get(address).text
    there.operator.post(f"{address}/confirm", form_in(page, f"{address}/confirm"))
    _finished(there, address)

    assert here.quantity("A") == 5
    assert "Importada" in here.operator.get(address).text


def test_an_import_whose_instance_died_shows_as_interrupted_and_can_be_continued(site: Site) -> None:
    address = _upload(site, PRODUCTS)
    _set(site, **LEFT_BEHIND, touched_at=datetime.now(UTC) - timedelta(minutes=5))

    page = site.operator.get(address).text

    assert "Interrumpido: se retoma solo" in page
    assert "Otro lo retoma solo" in page

    site.operator.post(f"{address}/confirm")
    _finished(site, address)

    assert site.quantity("A") == 5


def test_an_import_that_died_after_its_commit_is_not_carried_out_again(site: Site) -> None:
    address = _imported(site, PRODUCTS, keep=True)
    _set(site, **LEFT_BEHIND, touched_at=datetime.now(UTC) - timedelta(minutes=5))

    site.operator.post(f"{address}/confirm")
    page = _finished(site, address)

    assert "Importada" in page
    assert site.quantity("A") == 5


def test_the_page_polls_and_shows_progress_while_an_instance_works(site: Site) -> None:
    address = _upload(site, PRODUCTS)
    how_far = {"stage": "writing", "done_rows": 500, "total_rows": 2000, "remaining": 130}
    _set(site, state="working", step="import", worker="another", **how_far, touched_at=datetime.now(UTC))

    page = site.operator.get(address).text
    fragment = site.operator.get(address, htmx=True).text

    assert '<noscript><meta http-equiv="refresh"' in page
    assert f'data-hx-get="{address}" data-hx-trigger="every 1s" data-hx-swap="outerMorph"' in fragment
    assert fragment.startswith("<title>25 % · ")
    assert "<html" not in fragment
    assert '<progress class="work-progress" value="500" max="2000"' in fragment
    for reported in ("Fila 500 de 2.000", "25 % · Faltan 3 minutos", "Actualizar", "Cancelar"):
        assert reported in fragment
    assert "<title>25 % · " in page
    assert site.operator.post(f"{address}/confirm").status_code == 303
    assert codes_in(site.operator.get("/inventory").text) == []


def test_an_upload_that_no_one_confirmed_is_cleared_away_by_a_later_one(site: Site) -> None:
    forgotten = _upload(site, PRODUCTS)
    _set(site, touched_at=datetime.now(UTC) - timedelta(days=2))

    _upload(site, PRODUCTS)

    _eventually(lambda: _stored(site, JobChunk) == 1)
    site.operator.post(f"{forgotten}/confirm")
    assert "ya no se guarda" in _finished(site, forgotten)


def test_the_file_of_a_finished_import_is_deleted(site: Site) -> None:
    _imported(site, PRODUCTS)

    assert _stored(site, JobChunk) == 0


def test_a_change_since_the_preview_is_checked_again_and_nothing_is_half_done(site: Site) -> None:
    site.create_location("Sótano")
    site.create_product("A", quantity=1)
    address = _upload(site, "code,name,quantity\nB,Silla,3\nA,Mesa,5\n")
    site.operator.post("/products/A/movements", {"kind": "receive", "quantity": "2", "location": "Sótano"})

    site.operator.post(f"{address}/confirm")
    page = _finished(site, address)

    assert "Con errores" in page
    assert "varias ubicaciones" in page
    assert codes_in(site.operator.get("/inventory").text) == ["A"]
    assert site.quantity("A") == 3


def test_plugins_get_the_events_of_an_import(make_site: Callable[..., Site]) -> None:
    class Listener:
        def __init__(self) -> None:
            self.codes: list[str] = []

        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            self.codes.append(event.code)

    listener = Listener()

    site = make_site(listener)
    _imported(site, PRODUCTS)
    deliver_events(site.inventory)

    assert sorted(listener.codes) == ["A", "B"]


def test_the_export_of_the_list_imported_again_changes_nothing(site: Site) -> None:
    site.create_product("A", name="=1+1", description="dos\nlíneas", category="Hogar", quantity=5, minimum=9)
    site.create_product("B", name="Silla; «grande»", quantity=0)

    for kind in ("csv", "xlsx"):
        content = site.operator.get(f"/inventory/export.{kind}").data
        page = _uploaded(site, content, name=f"inventario.{kind}")

        assert "<strong>0</strong>Productos nuevos" in page
        assert "<strong>0</strong>Productos cambiados" in page
        assert "<strong>2</strong>Sin cambios" in page


def test_recent_imports_are_listed_with_their_state(site: Site) -> None:
    _imported(site, PRODUCTS, name="hecha.csv")
    _upload(site, b"", name="vacía.csv")

    page = site.operator.get("/imports/new").text

    for reported in ("hecha.csv", "Importada", "vacía.csv", "Archivo rechazado"):
        assert reported in page


def test_a_viewer_may_not_import(site: Site, viewer: Visitor) -> None:
    address = _upload(site, PRODUCTS)

    answers = [
        viewer.get("/imports/new"),
        viewer.post("/imports/new", {"file": (io.BytesIO(b"x"), "x.csv")}),
        viewer.get(address),
        viewer.post(f"{address}/confirm"),
        viewer.post(f"{address}/undo"),
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)


def test_thousands_of_rows_are_imported(site: Site) -> None:
    rows = [f"P-{number},Pieza {number},Piezas,{number}" for number in range(2000)]

    address = _imported(site, "code,name,category,quantity\n" + "\n".join(rows))

    assert "2.000" in site.operator.get(address).text
    assert site.quantity("P-1999") == 1999


def _upload(site: Site, content: str | bytes, *, name: str = "productos.csv", sheet: str = "") -> str:
    file = (io.BytesIO(content.encode() if isinstance(content, str) else content), name)
    answer = site.operator.post("/imports/new", {"file": file, "sheet": sheet})
    assert answer.status_code == 303, answer.text
    _finished(site, answer.location)
    return answer.location


def _uploaded(site: Site, content: str | bytes, *, name: str = "productos.csv") -> str:
    return site.operator.get(_upload(site, content, name=name)).text


def _imported(site: Site, content: str | bytes, *, name: str = "productos.csv", keep: bool = False) -> str:
    address = _upload(site, content, name=name)
    kept = _chunks(site) if keep else []
    site.operator.post(f"{address}/confirm")
    page = _finished(site, address)
    assert "Importada" in page, page
    _put_back(site, kept)
    return address


def _finished(site: Site, address: str) -> str:
    """Return the page of an import once no worker is active."""
    _eventually(lambda: "work-progress" not in site.operator.get(address).text)
    return site.operator.get(address).text


def _eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def _set(site: Site, **values: Any) -> None:
    site.inventory.sessions.write(lambda session: session.execute(update(JobRow).values(**values)))


def _stored(site: Site, table: type[JobRow | JobChunk]) -> int:
    with site.inventory.sessions.reader() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _chunks(site: Site) -> list[dict[str, Any]]:
    with site.inventory.sessions.reader() as session:
        return [chunk.model_dump() for chunk in session.scalars(select(JobChunk))]


def _put_back(site: Site, chunks: list[dict[str, Any]]) -> None:
    site.inventory.sessions.write(lambda session: session.add_all(JobChunk(**chunk) for chunk in chunks))
