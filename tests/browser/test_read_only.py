"""Forms are disabled while the database is read-only, keep their input, and work again afterwards."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from werkzeug.serving import make_server

from inventory_core import Inventory, SingleDatabase
from inventory_web import Settings, create_app
from inventory_web.auth.users import add_account
from inventory_web.db.schema import upgrade_all
from inventory_web.roles import Role
from tests.browser.shop import PASSWORD, Shop, Window
from tests.web.read_only import source_is_away

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture
def here(tmp_path: "Path") -> Iterator[Shop]:
    """A shop in this process, so that a test can take its source away."""
    file = tmp_path / "stock.db"
    sessions = SingleDatabase.from_file(file)
    upgrade_all(sessions.engine)
    inventory = Inventory(sessions)
    add_account(inventory, name="olga", role=Role.OPERATOR, password=PASSWORD)
    app = create_app(Settings(secret_key=SecretStr("a key of tests, long and random 0123456789")), sessions=sessions)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Shop(f"http://127.0.0.1:{server.server_port}", inventory, file)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        sessions.close()


@pytest.fixture
def window(here: Shop, chromium: "Browser") -> Iterator[Window]:
    context = chromium.new_context(base_url=here.address, locale="es-ES", viewport={"width": 360, "height": 740})
    opened = Window(context.new_page(), here.address)
    opened.log_in("olga")
    yield opened
    context.close()
    assert opened.trouble == []


def test_a_form_waits_with_its_reason_and_saves_what_was_typed_later(here: Shop, window: Window) -> None:
    code, page = here.create_product(quantity=5), window.page
    with ExitStack() as away:
        away.enter_context(source_is_away())
        page.goto(f"/products/{code}/edit")
        page.fill("#name", "Mesa de roble")
        button = page.get_by_role("button", name="Guardar")
        button.wait_for()
        reason = page.locator(f"#{button.get_attribute('aria-describedby')}")

        assert button.get_attribute("aria-disabled") == "true"
        assert reason.inner_text() == "Espere: ahora no se puede guardar. Lo que escriba no se pierde."
        assert window.violations() == []
        page.locator("#name").press("Enter")
        assert page.url.endswith("/edit")
        assert not window.is_too_wide()

    window.sees("Ya se puede guardar otra vez.")
    assert page.locator("#name").input_value() == "Mesa de roble"
    assert button.get_attribute("aria-disabled") is None
    button.click()
    page.wait_for_url(f"**/products/{code}")
    window.sees("Mesa de roble")


def test_a_quantity_in_the_list_waits_too(here: Shop, window: Window) -> None:
    code, page = here.create_product(quantity=5), window.page
    with ExitStack() as away:
        away.enter_context(source_is_away())
        page.goto("/inventory")
        button = window.row(code).get_by_role("button", name="Sumar 1")

        assert button.get_attribute("aria-describedby") == "read-only"
        button.click(force=True)
        assert window.row(code).get_by_role("textbox").input_value() == "5"

    window.sees("Ya se puede guardar otra vez.")
    button.click()
    window.row(code).get_by_text("Deshacer").wait_for()
    assert here.quantity(code) == 6


def test_without_scripts_a_form_looks_and_reads_as_waiting_and_what_is_sent_too_early_is_kept(
    here: Shop, chromium: "Browser"
) -> None:
    code = here.create_product(quantity=5)
    context = chromium.new_context(
        base_url=here.address, locale="es-ES", viewport={"width": 360, "height": 740}, java_script_enabled=False
    )
    window = Window(context.new_page(), here.address)
    window.log_in("olga")
    page = window.page
    with source_is_away():
        page.goto(f"/products/{code}/edit")
        page.fill("#name", "Mesa de roble")
        button = page.get_by_role("button", name="Guardar")

        assert float(button.evaluate("e => getComputedStyle(e).opacity")) < 1
        assert page.get_by_text("Espere: ahora no se puede guardar").first.is_visible()
        assert page.locator(f"#{button.get_attribute('aria-describedby')}").is_visible()
        button.click(force=True)
        window.sees("Lo que había escrito")

    page.get_by_role("button", name="Enviar ahora").click()
    page.wait_for_url(f"**/products/{code}")
    window.sees("Mesa de roble")
    context.close()
