"""A slow or lost network, a busy database, and unusual input in a browser."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from inventory_core.queries.movements import movement_history
from inventory_core.queries.products import get_product
from tests.browser.shop import Shop, Window

pytestmark = pytest.mark.browser
NO_ANSWER = "El servidor no responde"
NAMES = {
    "emoji": "Añil 🎈👩‍🔧 «ñ»",
    "right to left": "مصباح أزرق",
    "one long word": "W" * 200,
    "markup": "<b>&amp;</b> 'x' \"y\"",
}


@pytest.mark.parametrize("width", [360, 1280])
def test_without_the_server_nothing_typed_is_lost_and_it_goes_on_when_it_is_back(
    shop: Shop, open_window: Callable[..., Window], width: int
) -> None:
    code = shop.create_product(quantity=5)
    window = open_window(width=width)
    page = window.page
    page.goto(f"/inventory?search={code}")
    window.page.context.set_offline(True)
    field = window.row(code).get_by_role("textbox")
    field.fill("17")
    field.press("Enter")
    window.sees(NO_ANSWER)

    assert field.input_value() == "17"
    assert shop.quantity(code) == 5
    assert not window.is_too_wide()
    assert window.violations() == []

    window.page.context.set_offline(False)
    field.press("Enter")
    window.sees("5 → 17")
    assert shop.quantity(code) == 17
    assert page.locator(".no-answer").count() == 0


def test_a_search_without_the_server_keeps_the_list_and_says_so(shop: Shop, window: Window) -> None:
    code = shop.create_product()
    window.page.goto(f"/inventory?search={code}")
    window.page.context.set_offline(True)
    window.page.locator("#search").press_sequentially("x")
    window.sees(NO_ANSWER)

    assert window.row(code).is_visible()


def test_a_database_that_is_busy_is_reported_as_such_and_the_same_press_works_later(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=5)
    window.page.goto(f"/inventory?search={code}")
    field = window.row(code).get_by_role("textbox")
    field.fill("8")
    with closing(sqlite3.connect(shop.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        field.press("Enter")
        window.page.get_by_text("INV-016").wait_for(timeout=60_000)
    assert field.input_value() == "8"

    field.press("Enter")
    window.sees("5 → 8")
    assert [row.quantity for row in movement_history(shop.inventory, code=code).rows] == [3, 5]


def test_over_a_slow_network_the_last_search_wins_and_one_click_is_one_change(shop: Shop, window: Window) -> None:
    word = shop.new_code()
    codes = [shop.create_product(code=f"{word}-{letter}", quantity=5) for letter in "AB"]
    slow = window.page.context.new_cdp_session(window.page)
    window.page.goto("/inventory")
    slow.send("Network.enable")
    slow.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000},
    )
    window.page.locator("#search").press_sequentially(f"{word}-b", delay=60)
    window.sees("1 producto")
    window.page.wait_for_load_state("networkidle")
    assert window.page.locator("tbody tr").count() == 1

    button = window.row(codes[1]).get_by_role("button", name="Sumar 1")
    button.dblclick()
    window.sees("5 → 6")
    window.page.wait_for_load_state("networkidle")
    assert shop.quantity(codes[1]) == 6


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name_is_shown_and_stored_as_it_was_typed(
    shop: Shop, open_window: Callable[..., Window], name: str, width: int
) -> None:
    window, code = open_window(width=width), shop.new_code()
    page = window.page
    page.goto("/products/new")
    page.fill("#code", code)
    page.fill("#name", name)
    page.fill("#description", "d" * 2_000)
    page.get_by_role("button", name="Registrar").click()
    page.wait_for_url(f"**/products/{code}")

    row = get_product(shop.inventory, code).row
    assert (row.name, row.description) == (name, "d" * 2_000)
    assert page.get_by_role("heading", level=1).inner_text().strip() == name
    assert not window.is_too_wide()
    page.goto(f"/inventory?search={code}")
    assert window.row(code).is_visible()
    assert not window.is_too_wide()


def test_a_code_pasted_with_blanks_and_line_breaks_is_the_code(shop: Shop, window: Window) -> None:
    code, page = shop.new_code(), window.page
    page.goto("/products/new")
    page.fill("#code", f"  \t{code} ")
    page.fill("#name", "Silla")
    page.get_by_role("button", name="Registrar").click()
    page.wait_for_url(f"**/products/{code}")

    page.goto("/inventory")
    page.locator("#search").evaluate(
        "(e, text) => e.focus() || document.execCommand('insertText', false, text)", f"\n {code}\r\n"
    )
    window.sees("1 producto")
    assert window.row(code).is_visible()


@pytest.mark.parametrize(
    ("typed", "reported"), [("2,5", "entero"), ("1.000", "separadores"), ("-3", "negativo"), ("", "obligatorio")]
)
def test_an_odd_quantity_is_refused_next_to_its_field_and_stays_there(
    shop: Shop, window: Window, typed: str, reported: str
) -> None:
    code = shop.create_product(quantity=5)
    window.page.goto(f"/inventory?search={code}")
    field = window.row(code).get_by_role("textbox")
    field.fill(typed)
    field.press("Enter")
    window.row(code).locator(".qty-fault").wait_for()

    # The row is morphed around the field that has the keyboard: what was typed stays, even if it is nothing.
    assert field.input_value() == typed
    assert reported in window.row(code).locator(".qty-fault").inner_text()
    assert shop.quantity(code) == 5


def test_two_tabs_of_one_person_never_count_twice(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=5)
    other = Window(window.page.context.new_page(), shop.address)
    for tab in (window, other):
        tab.page.goto(f"/inventory?search={code}")
    window.row(code).get_by_role("button", name="Sumar 1").click()
    window.sees("5 → 6")
    other.row(code).get_by_role("button", name="Sumar 1").click()
    other.row(code).locator(".qty-note").wait_for()

    assert other.row(code).locator(".qty-conflict").inner_text().startswith("Usted vio 5; ahora hay 6")
    assert shop.quantity(code) == 6
    assert other.trouble == []


def test_a_pasted_text_that_is_too_long_is_refused_next_to_its_field_and_not_cut(shop: Shop, window: Window) -> None:
    page = window.page
    page.goto("/products/new")
    page.fill("#code", shop.new_code())
    for field, length in {"#name": 201, "#description": 2_001}.items():
        page.locator(field).evaluate(
            "(e, text) => e.focus() || document.execCommand('insertText', false, text)", "d" * length
        )
    page.get_by_role("button", name="Registrar").click()
    window.sees("Revise los datos marcados")

    assert "200 caracteres" in page.locator("#name-faults").inner_text()
    assert "2000 caracteres" in page.locator("#description-faults").inner_text().replace(".", "")
    assert (len(page.input_value("#name")), len(page.input_value("#description"))) == (201, 2_001)


def test_a_text_from_right_to_left_begins_at_the_right(shop: Shop, window: Window) -> None:
    code = shop.create_product(name="מחסן LED", description="תיאור A")
    page = window.page

    def begins_at_the_right(selector: str) -> bool:
        """Return whether the first letter of the text is to the right of its last one."""
        return bool(
            page.locator(selector).first.evaluate(
                """(e) => {
                    const text = [...e.childNodes].find((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
                    const at = (i) => {
                        const range = document.createRange();
                        range.setStart(text, i);
                        range.setEnd(text, i + 1);
                        return range.getBoundingClientRect().left;
                    };
                    const first = text.data.search(/\\S/);
                    return at(first) > at(text.data.trimEnd().length - 1);
                }"""
            )
        )

    page.goto(f"/inventory?search={code}")
    assert begins_at_the_right(".products td:nth-child(2) > .clamped")
    page.goto(f"/products/{code}")
    assert begins_at_the_right("h1")
    assert begins_at_the_right(".description")
