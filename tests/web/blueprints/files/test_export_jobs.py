"""An export in the background: the same file as at once, fetched from any instance, by its owner, for a day."""

import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select, update

from inventory_web.db.models import AuditEvent, JobChunk, JobRow
from inventory_web.jobs import files, queue
from tests.web.blueprints.site import Site, form_in

MakeSite = Callable[..., Site]
PATIENCE_SECONDS = 30


@pytest.fixture
def filled(site: Site) -> Site:
    for number in range(30):
        site.create_product(f"P-{number:02}", name=f"Pieza {number}", category="Piezas", quantity=number)
    site.create_product("OTRO", category="Ropa")
    return site


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_is_the_one_of_the_direct_export(filled: Site, kind: str) -> None:
    page = filled.operator.get("/exports/new", category="Piezas", sort="-code").text
    sent = form_in(page, "/exports")
    made = filled.operator.post("/exports", sent | {"format": kind})
    shown = finished(filled, made.location)
    file = filled.operator.get(f"{made.location}/file")
    direct = filled.operator.get(f"/inventory/export.{kind}?category=Piezas&sort=-code")

    assert "30 productos" in page
    assert (sent["category"], sent["sort"]) == ("Piezas", "-code")
    assert made.status_code == 303
    for reported in ("Lista para descargar", "30 productos", "Descargar", f'href="{made.location}/file"'):
        assert reported in shown
    assert rows_of(file.data, kind) == rows_of(direct.data, kind)
    assert len(rows_of(file.data, kind)) == 31
    assert file.headers["Content-Disposition"] == direct.headers["Content-Disposition"]
    assert file.mimetype == direct.mimetype
    assert file.content_length == len(file.data)


def test_a_file_of_many_pieces_comes_whole_from_another_instance(
    filled: Site, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 100)
    monkeypatch.setattr("inventory_web.blueprints.files.exports.CHUNK_BYTES", 100)
    address = exported(filled)
    other = make_site(instance="other")

    assert stored(filled) > 10
    assert other.operator.get(f"{address}/file").data == filled.operator.get("/inventory/export.csv").data


def test_only_the_owner_and_administrators_see_and_fetch_it(filled: Site) -> None:
    address = exported(filled)
    viewer, admin = filled.visitor("vera"), filled.visitor("ada")

    for path in (address, f"{address}/file"):
        assert viewer.get(path).status_code == 403
        assert admin.get(path).status_code == 200
    assert viewer.get("/exports/nada").status_code == 404
    assert viewer.get("/imports/" + address.rsplit("/", 1)[-1]).status_code in (403, 404)
    assert filled.operator.get("/imports/" + address.rsplit("/", 1)[-1]).status_code == 404


def test_a_viewer_may_export(filled: Site) -> None:
    viewer = filled.visitor("vera")
    address = viewer.post("/exports", {"format": "csv"}).location
    eventually(lambda: "Descargar" in viewer.get(address).text)

    assert len(viewer.get(f"{address}/file").text.splitlines()) == 32
    assert "inventario-" in viewer.get("/work").text


def test_a_double_click_makes_one_export_and_a_page_that_was_kept_a_new_one(filled: Site) -> None:
    sent = form_in(filled.operator.get("/exports/new").text, "/exports") | {"format": "csv"}
    first = filled.operator.post("/exports", sent).location
    finished(filled, first)
    filled.create_product("NUEVO")
    second = filled.operator.post("/exports", sent).location
    finished(filled, second)

    assert first != second
    assert "NUEVO" in filled.operator.get(f"{second}/file").text
    change(filled, state="working", worker="another", touched_at=datetime.now(UTC))
    assert filled.operator.post("/exports", sent).location == first


def test_after_a_day_the_file_is_gone_and_the_page_says_so(filled: Site) -> None:
    address = exported(filled)
    change(filled, touched_at=datetime.now(UTC) - queue.KEEP_FILE - timedelta(minutes=1))
    queue.purge_expired(filled.inventory, ["import"])

    answer = filled.operator.get(f"{address}/file")

    assert stored(filled) == 0
    assert (answer.status_code, answer.location) == (303, address)
    assert "ya no se guarda" in filled.operator.get(address).text
    change(filled, touched_at=datetime.now(UTC) - queue.KEEP_JOB - timedelta(minutes=1))
    queue.purge_expired(filled.inventory, ["import"])
    assert filled.operator.get(address).status_code == 404


def test_reading_pages_clears_nothing_away(filled: Site) -> None:
    address = exported(filled)
    wait_for_rest()
    change(filled, touched_at=datetime.now(UTC) - timedelta(days=3))
    before = stored(filled)
    for path in (address, f"{address}/file", "/work", "/work?who=all"):
        filled.operator.get(path)

    assert stored(filled) == before > 0


def test_a_format_or_a_status_that_does_not_exist_is_refused(filled: Site) -> None:
    answers = [
        filled.operator.post("/exports", {"format": "exe"}),
        filled.operator.post("/exports", {"format": "csv", "status": "nada"}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert filled.operator.get("/work").text.count("/exports/") == 0


def test_the_long_list_offers_it_and_the_short_one_does_not(filled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = 'href="/exports/new'
    short = filled.operator.get("/inventory").text
    monkeypatch.setattr("inventory_web.blueprints.catalog.product_list.MOST_COUNTED", 20)
    long = filled.operator.get("/inventory").text

    assert offered not in short
    assert offered in long


def test_both_kinds_of_export_are_in_the_records(filled: Site) -> None:
    exported(filled)
    filled.operator.get("/inventory/export.xlsx?category=Ropa")
    eventually(lambda: len(recorded(filled)) == 2)

    assert recorded(filled) == [("exported", "olga"), ("exported", "olga")]


def recorded(site: Site) -> list[tuple[str, str]]:
    query = select(AuditEvent.event, AuditEvent.actor).where(AuditEvent.event == "exported")  # type: ignore[call-overload]
    with site.inventory.sessions.reader() as session:
        return [tuple(row) for row in session.execute(query)]


def exported(site: Site) -> str:
    address = site.operator.post("/exports", {"format": "csv", "sort": "name"}).location
    finished(site, address)
    return address


def finished(site: Site, address: str) -> str:
    eventually(lambda: "work-progress" not in site.operator.get(address).text)
    return site.operator.get(address).text


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def rows_of(content: bytes, kind: str) -> list[list[Any]]:
    if kind == "csv":
        return [line.split(",") for line in content.decode("utf-8-sig").splitlines()]
    return list(CalamineWorkbook.from_object(io.BytesIO(content)).get_sheet_by_index(0).to_python())


def stored(site: Site) -> int:
    with site.inventory.sessions.reader() as session:
        return session.scalar(select(func.count()).select_from(JobChunk)) or 0


def wait_for_rest() -> None:
    """Until the thread that did the work has also cleared away what was old by then."""
    for thread in threading.enumerate():
        if thread.name == "job-runner":
            thread.join(PATIENCE_SECONDS)


def change(site: Site, **values: Any) -> None:
    site.inventory.sessions.write(lambda session: session.execute(update(JobRow).values(**values)))
