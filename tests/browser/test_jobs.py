"""Jobs in a browser: progress updates automatically, survives an unresponsive server, and needs no script."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import col

from inventory_web.db.models import JobRow
from inventory_web.jobs import queue
from tests.browser.shop import Shop, Window

if TYPE_CHECKING:
    from playwright.sync_api import Route

pytestmark = pytest.mark.browser
LONG_NAME = "w" * 150 + ".csv"


class Jobs:
    """Jobs that a worker of another instance is at, as this one learns of it."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._made: list[str] = []

    def add(self, **values: Any) -> str:
        job_id = uuid.uuid4().hex
        self._made.append(job_id)
        given = {"kind": "import", "step": "import", "title": "piezas.csv", "request": "{}", "actor": "olga", "size": 1}
        given |= queue.INITIAL_VALUES | {"outcome": "", "state": "working", "worker": "another", "attempts": 1}
        given |= {"stage": "writing", "done_rows": 500, "total_rows": 2000, "remaining": 130}
        # Ahead of time, so that this test's own server leaves them to the worker that is not there.
        ahead = datetime.now(UTC) + timedelta(minutes=10)
        row = given | values | {"id": job_id, "created_at": datetime.now(UTC), "touched_at": ahead}
        self._shop.inventory.sessions.write(lambda session: session.execute(insert(JobRow).values(row)))
        return job_id

    def change(self, job_id: str, **values: Any) -> None:
        statement = update(JobRow).where(col(JobRow.id) == job_id).values(**values)
        self._shop.inventory.sessions.write(lambda session: session.execute(statement))

    def clear(self) -> None:
        statement = delete(JobRow).where(col(JobRow.id).in_(self._made))
        self._shop.inventory.sessions.write(lambda session: session.execute(statement))


@pytest.fixture
def work(shop: Shop) -> Iterator[Jobs]:
    made = Jobs(shop)
    yield made
    made.clear()


def test_progress_moves_in_place_and_the_keyboard_stays_where_it_was(work: Jobs, window: Window) -> None:
    job_id, page = work.add(), window.page
    page.goto(f"/imports/{job_id}")
    window.sees("25 % · Faltan ")
    assert page.title().startswith("25 % · ")
    cancel = page.get_by_role("button", name="Cancelar")
    cancel.focus()
    height = page.locator("#import").bounding_box()

    work.change(job_id, done_rows=1500, remaining=20)
    window.sees("75 % · Falta menos de un minuto")
    assert page.title().startswith("75 % · ")
    assert window.focused() == cancel.text_content()
    assert page.locator("#import").bounding_box() == height

    work.change(job_id, state="cancelled")
    window.sees("La importación se canceló")
    assert window.focused() == "Cancelada"
    assert page.title().startswith("Importación")
    assert page.locator("#announcer").text_content() == "Cancelada"


def test_a_server_that_does_not_answer_is_reported_and_probed_again(work: Jobs, window: Window) -> None:
    job_id, page = work.add(), window.page
    page.goto(f"/imports/{job_id}")
    window.sees("25 %")
    height = page.locator("#import").bounding_box()

    def refuse(route: "Route") -> None:
        route.fulfill(status=503, body="away")

    page.route(f"**/imports/{job_id}", refuse)
    window.sees("El servidor no responde. El trabajo sigue")
    assert page.locator("#import").bounding_box() == height
    page.unroute(f"**/imports/{job_id}", refuse)
    work.change(job_id, done_rows=1000)
    window.sees("50 %")

    assert not page.get_by_text("El servidor no responde. El trabajo sigue").is_visible()


def test_a_person_whose_login_ended_meanwhile_must_log_in(work: Jobs, window: Window) -> None:
    job_id, page = work.add(), window.page
    page.goto(f"/imports/{job_id}")
    window.sees("25 %")
    page.context.clear_cookies()

    page.wait_for_url("**/login**")


def test_several_jobs_are_seen_and_cancelled_in_one_list(work: Jobs, window: Window) -> None:
    first, second, page = work.add(title="una.csv"), work.add(title="dos.csv", state="waiting"), window.page
    page.goto("/work")
    window.sees("2 trabajos en marcha")
    row = page.locator("li", has=page.get_by_role("link", name="dos.csv"))
    row.get_by_role("button", name="Cancelar").click()
    window.sees("1 trabajo en marcha")
    assert row.get_by_text("Cancelada").is_visible()

    kept = page.locator(f"#cancel-{first} button")
    kept.focus()
    third = work.add(title="tres.csv")
    window.sees("2 trabajos en marcha")
    assert kept.evaluate("e => e === document.activeElement")

    work.change(first, state="done", outcome='{"rows": 2000}')
    window.sees("1 trabajo en marcha")
    work.change(third, state="done", outcome='{"rows": 2000}')
    window.sees("Ningún trabajo en marcha")
    assert page.locator("[data-hx-trigger^=every]").count() == 0
    assert second in page.content()


def test_a_list_is_exported_in_the_background_and_downloaded(shop: Shop, open_window: Callable[..., Window]) -> None:
    code = shop.create_product()
    window = open_window("vera", width=360)
    page = window.page
    page.goto(f"/exports/new?search={code}")
    window.sees("1 producto")
    page.get_by_role("button", name="Preparar CSV").click()
    window.sees("Lista para descargar")
    with page.expect_download() as download:
        page.get_by_role("link", name="Descargar").click()

    assert download.value.suggested_filename.endswith(".csv")
    assert code in download.value.path().read_text("utf-8-sig")


def test_without_scripts_the_page_loads_itself_again(work: Jobs, open_window: Callable[..., Window]) -> None:
    window, job_id = open_window(script=False), work.add()
    window.page.goto(f"/imports/{job_id}")
    window.sees("25 %")
    work.change(job_id, done_rows=1500)
    window.sees("75 %")
    assert window.page.get_by_role("link", name="Actualizar").is_visible()
    work.change(job_id, state="waiting", attempts=1)
    window.page.get_by_role("button", name="Cancelar").click()
    window.sees("La importación se canceló")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_every_state_fits_the_window_and_can_be_read(
    work: Jobs, open_window: Callable[..., Window], width: int, *, dark: bool
) -> None:
    window = open_window("ada", width=width, dark=dark)
    failed = '{"code": "WEB-012", "messages": {"es": "El servidor se detuvo."}}'
    export = {"kind": "export", "step": "make", "request": '{"query": {"search": "%s"}, "format": "csv"}' % ("x" * 190)}
    states: list[dict[str, Any]] = [
        {},
        {"state": "waiting"},
        {"total_rows": 0, "remaining": None},
        {"cancel_requested": True},
        {"state": "failed", "outcome": failed},
        {"state": "cancelled"},
    ]
    pages = [f"/imports/{work.add(title=LONG_NAME, **values)}" for values in states]
    pages += [f"/exports/{work.add(title=LONG_NAME, **export, **values)}" for values in states]
    ready = {"state": "done", "size": 4_600_000, "outcome": '{"rows": 120154}'}
    pages += [f"/exports/{work.add(title=LONG_NAME, **export, **ready)}", "/work?who=all", "/work", "/exports/new"]
    found = []
    for address in pages:
        window.page.goto(address)
        found += [f"{address}: {line}" for line in window.violations()]
        found += [f"{address}: too wide"] * window.is_too_wide()

    assert found == []
