"""Whole user journeys from login to logout: phone and desktop, both languages, light and dark."""

from collections.abc import Callable
from itertools import product as combinations
from pathlib import Path

import pytest

from inventory_core.queries.products import get_product
from tests.browser.shop import Shop, Window

pytestmark = pytest.mark.browser

WINDOWS = list(combinations((360, 1280), ("es", "en"), ("light", "dark")))


@pytest.fixture(params=WINDOWS, ids=lambda window: "-".join(map(str, window)))
def person(open_window: Callable[..., Window], request: pytest.FixtureRequest) -> Window:
    """Somebody who has just logged in, in a window of that width, language and theme."""
    width, language, theme = request.param
    return open_window(width=width, dark=theme == "dark", language=language)


@pytest.fixture(autouse=True)
def _in_the_language_and_theme_of_the_window(person: Window) -> None:
    root = person.page.locator("html")

    assert root.get_attribute("lang") == person.language
    assert person.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == person.dark


def test_a_product_is_registered_found_edited_and_retired(shop: Shop, person: Window) -> None:
    code, page, say = shop.new_code(), person.page, person.say
    page.get_by_role("link", name=say("Nuevo producto")).click()
    page.fill("#code", code.lower())
    page.fill("#name", "Lámpara de mesa")
    page.fill("#quantity", "12")
    page.fill("#minimum", "3")
    page.get_by_role("button", name=say("Registrar")).click()
    page.wait_for_url(f"**/products/{code.lower()}")
    assert person.faults() == []

    page.goto("/inventory")
    page.locator("#search").press_sequentially(f"{code} lampara")
    person.row(code.lower()).wait_for()
    page.wait_for_url("**lampara")
    page.locator(".htmx-request").first.wait_for(state="detached")
    assert person.faults() == []
    person.row(code.lower()).get_by_role("link", name=code.lower()).click()
    page.get_by_role("link", name=say("Editar")).click()
    page.fill("#name", "Lámpara de pie")
    page.get_by_role("button", name=say("Guardar")).click()
    page.wait_for_url(f"**/products/{code.lower()}")
    assert get_product(shop.inventory, code).row.name == "Lámpara de pie"

    page.locator("summary", has_text=say("Eliminar")).click()
    page.locator(".confirm-panel button[type=submit]").click()
    page.get_by_role("button", name=say("Restaurar")).wait_for()
    assert get_product(shop.inventory, code).row.retired
    assert person.faults() == []


def test_a_count_is_corrected_in_the_list_and_taken_back(shop: Shop, person: Window) -> None:
    code, page = shop.create_product(quantity=1_200), person.page
    page.goto(f"/inventory?search={code}")
    row = person.row(code)
    field = row.locator("input[name=quantity]")
    field.fill("1187")
    field.press("Enter")
    row.locator(".qty-note").wait_for()
    assert ("1.200 → 1.187" if person.language == "es" else "1,200 → 1,187") in row.inner_text()
    assert shop.quantity(code) == 1_187
    assert person.faults() == []

    page.reload()
    assert row.locator("input[name=quantity]").input_value() == "1187"
    row.locator("button[value='1']").click()
    row.locator(".qty-note form button").click()
    row.locator(".qty-note").wait_for(state="detached")
    assert shop.quantity(code) == 1_187


def test_goods_come_in_and_go_out_and_the_history_reports_why(shop: Shop, person: Window) -> None:
    code, page, say = shop.create_product(quantity=5), person.page, person.say
    page.goto(f"/products/{code}")
    page.fill("#quantity", "3")
    page.fill("#reason", "Pedido 7 🎈")
    page.get_by_role("button", name=say("Registrar movimiento")).click()
    page.locator(".alert-success").wait_for()
    assert shop.quantity(code) == 8

    page.goto(f"/movements?code={code}")
    person.sees("Pedido 7 🎈")
    assert person.faults() == []


def test_a_file_is_imported_exported_and_taken_back(shop: Shop, person: Window, tmp_path: Path) -> None:
    code, page, say = shop.new_code(), person.page, person.say
    file = tmp_path / "file.csv"
    file.write_text(f"code,name,quantity\n{code},Martillo,7\n", "utf-8")
    page.goto("/imports/new")
    page.set_input_files("#file", file)
    page.get_by_role("button", name=say("Subir y revisar")).click()
    page.get_by_role("button", name=say("Importar ahora")).click()
    page.get_by_role("button", name=say("Deshacer la importación")).wait_for()
    job = page.url
    assert shop.quantity(code) == 7
    assert person.faults() == []

    page.goto(f"/inventory?search={code}")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    header, row = download.value.path().read_text("utf-8-sig").splitlines()
    assert header.startswith({"es": "Código", "en": "Code"}[person.language])
    assert row.startswith(code)

    page.goto(job)
    page.get_by_role("button", name=say("Deshacer la importación")).click()
    page.locator(".alert-success").wait_for()
    assert get_product(shop.inventory, code).row.retired


def test_the_back_button_leads_back_after_every_swap(shop: Shop, person: Window) -> None:
    word, page = shop.new_code(), person.page
    for letter in "AB":
        shop.create_product(code=f"{word}-{letter}", name=f"Caja {letter}", quantity=5)
    page.goto(f"/inventory?search={word}")
    person.row(f"{word}-A").locator("button[value='1']").click()
    person.row(f"{word}-A").locator(".qty-note").wait_for()
    # What goes on with a word replaces its entry of the history; another word has an entry of its own.
    page.fill("#search", f"-b {word}")
    person.row(f"{word}-A").wait_for(state="detached")

    page.go_back()
    person.row(f"{word}-A").wait_for()
    assert page.locator("#search").input_value() == word
    assert person.row(f"{word}-A").locator("input[name=quantity]").input_value() == "6"
    page.go_forward()
    person.row(f"{word}-A").wait_for(state="detached")
    page.reload()
    person.row(f"{word}-B").wait_for()
    assert page.locator("#search").input_value() == f"-b {word}"


def test_the_logout_leaves_nothing_to_see(person: Window) -> None:
    page, say = person.page, person.say
    page.get_by_role("button", name=say("Salir")).click()
    page.wait_for_url("**/login**")
    page.goto("/inventory")

    assert "/login" in page.url
    assert person.faults() == []
