"""The product list in a browser: live search, filters, history and quick quantities."""

from collections.abc import Callable

import pytest

from inventory_core import change_quantity, new_operation_id
from inventory_core.catalog.locations import add_location
from tests.browser.shop import Shop, Window, press

pytestmark = pytest.mark.browser


def test_the_search_follows_the_typing_and_the_history_leads_back(shop: Shop, window: Window) -> None:
    word = shop.new_code()
    shop.create_product(code=f"{word}-A", name="Lámpara", quantity=3)
    shop.create_product(code=f"{word}-B", name="Mesa")
    page = window.page

    page.click("#search")
    page.keyboard.type(word.lower())
    window.sees("2 productos")
    page.keyboard.type(" lampara")
    window.sees("1 producto")

    assert page.evaluate("document.activeElement.id") == "search"
    assert f"search={word.lower()}+lampara" in page.url
    assert page.inner_text("#announcer") == "1 producto"

    page.fill("#search", word)
    window.sees("2 productos")
    page.select_option("#status", "out_of_stock")
    window.sees("1 producto")
    assert window.row(f"{word}-B").is_visible()

    page.go_back()
    window.sees("2 productos")
    assert page.input_value("#status") == ""
    assert page.input_value("#search") == word
    page.go_forward()
    window.sees("1 producto")
    assert page.input_value("#status") == "out_of_stock"
    page.reload()
    assert window.row(f"{word}-B").is_visible()


def test_typing_a_word_waits_for_its_end_and_makes_one_entry_of_the_history(shop: Shop, window: Window) -> None:
    word = shop.new_code().lower()
    shop.create_product(code=f"{word}-A", name="Lámpara")
    page = window.page
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url) if "search=" in request.url else None)
    before = page.evaluate("history.length")

    # 50 ms by the clock of the page, whose timers keep their order however busy the machine is.
    page.locator("#search").evaluate(
        """async (field, word) => {
            field.focus();
            for (const letter of word) {
                field.value += letter;
                field.dispatchEvent(new Event("input", {bubbles: true}));
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
        }""",
        word,
    )
    page.wait_for_url(f"**search={word}")
    assert len(requested) == 1
    for letter in " lám":
        page.keyboard.type(letter)
        page.wait_for_timeout(250)
    page.wait_for_url("**search=*l%C3%A1m*")

    assert len(requested) > 2
    assert page.evaluate("history.length") == before + 1
    page.go_back()
    page.wait_for_url("**/inventory")
    page.locator("#search:placeholder-shown").wait_for()


def test_a_slash_goes_to_the_search(window: Window) -> None:
    press(window.page, "/")

    assert window.page.evaluate("document.activeElement.id") == "search"


def test_headings_sort_and_keep_the_keyboard(shop: Shop, window: Window) -> None:
    word = shop.new_code()
    for letter, quantity in (("A", 5), ("B", 1)):
        shop.create_product(code=f"{word}-{letter}", quantity=quantity)
    page = window.page
    page.goto(f"/inventory?search={word}")

    page.click("#sort-quantity")
    page.wait_for_url("**sort=quantity**")

    assert page.locator("tbody tr a").all_inner_texts()[0] == f"{word}-B"
    assert page.evaluate("document.activeElement.id") == "sort-quantity"


def test_a_quantity_is_changed_in_its_row_and_taken_back(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=5)
    page = window.page
    page.goto(f"/inventory?search={code}")
    row = window.row(code)

    row.get_by_role("button", name=f"Sumar 1 a {code}").click()
    window.sees("5 → 6")
    assert window.focused() == f"Sumar 1 a {code}"

    field = row.get_by_role("textbox", name=f"Cantidad de {code}")
    field.click()
    page.keyboard.type("42")
    press(page, "Enter")
    window.sees("6 → 42")
    assert window.focused() == f"Cantidad de {code}"
    assert shop.quantity(code) == 42

    row.get_by_role("button", name=f"Deshacer el cambio de {code}").click()
    row.locator(".qty-note").wait_for(state="detached")
    assert row.get_by_role("textbox").input_value() == "6"
    assert shop.quantity(code) == 6
    assert page.url.endswith(f"/inventory?search={code}")


def test_a_double_click_counts_once(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=5)
    window.page.goto(f"/inventory?search={code}")

    window.page.evaluate(
        "document.querySelectorAll('.qty button[value=\"1\"]').forEach((b) => { b.click(); b.click(); })"
    )
    window.sees("5 → 6")
    window.page.wait_for_load_state("networkidle")

    assert shop.quantity(code) == 6


def test_the_second_of_two_tabs_sees_the_conflict(shop: Shop, open_window: Callable[..., Window]) -> None:
    code = shop.create_product(quantity=5)
    first, second = open_window("olga"), open_window("ada", width=360)
    for window in (first, second):
        window.page.goto(f"/inventory?search={code}")

    first.row(code).get_by_role("button", name="Restar 1").click()
    first.sees("5 → 4")
    second.row(code).get_by_role("textbox").fill("9")
    second.row(code).get_by_role("textbox").press("Enter")
    second.sees("Usted vio 5; ahora hay 4")

    assert shop.quantity(code) == 4
    assert second.row(code).get_by_role("textbox").input_value() == "9"
    second.row(code).get_by_role("textbox").press("Enter")
    second.sees("4 → 9")
    assert shop.quantity(code) == 9


def test_a_scan_of_a_product_in_several_places_requires_a_location(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=5)
    place = f"Almacén {code}"
    window.page.goto("/locations")
    window.page.fill("#name", place)
    window.page.get_by_role("button", name="Añadir").click()
    window.sees(place)
    change_quantity(shop.inventory, code=code, delta=2, location=place, actor="prueba", operation=new_operation_id())
    window.page.goto(f"/inventory?search={code}")

    window.row(code).get_by_role("button", name="Sumar 1").click()
    window.sees("elija en cuál")
    window.row(code).get_by_role("button", name=f"Sumar 1 a {code} en {place}").click()
    window.sees("2 → 3")

    assert shop.quantity(code) == 8


def test_the_download_holds_what_the_list_shows(shop: Shop, window: Window) -> None:
    word = shop.new_code()
    for letter in "AB":
        shop.create_product(code=f"{word}-{letter}")
    window.page.goto(f"/inventory?search={word}-b")

    with window.page.expect_download() as download:
        window.page.get_by_role("link", name="CSV").click()

    rows = download.value.path().read_text("utf-8-sig").splitlines()
    assert download.value.suggested_filename.endswith(".csv")
    assert len(rows) == 2
    assert rows[1].startswith(f"{word}-B")


LONG = "Tornillo hexagonal DIN 933 de acero inoxidable A2 con rosca completa y cabeza de trece milímetros M8x"


@pytest.mark.parametrize("width", [360, 1280])
def test_long_names_are_clamped_at_two_lines_and_shown_in_full_at_the_keyboard(
    shop: Shop, open_window: Callable[..., Window], width: int
) -> None:
    word = shop.new_code()
    for length in (20, 25):
        shop.create_product(code=f"{word}-{length}", name=f"{LONG}{length} ".ljust(199, "z"), description="d " * 900)
    window = open_window(width=width)
    page = window.page
    page.goto(f"/inventory?search={word}")
    shown = window.row(f"{word}-20").locator(".clamped").all()
    height = "e => Math.round(e.clientHeight / parseFloat(getComputedStyle(e).lineHeight))"

    assert [text.evaluate(height) for text in shown[:2]] == [2, 2]
    assert (shown[0].get_attribute("title") or "").startswith(f"{LONG}20 zz")
    press(page, "j")
    focused = page.evaluate("document.activeElement.textContent")
    name = window.row(focused).locator(".clamped").first
    assert name.evaluate("e => e.scrollHeight === e.clientHeight")
    assert not window.is_too_wide()


@pytest.mark.parametrize(("width", "above"), [(360, True), (1280, False)])
def test_a_choice_of_places_shows_each_place_in_full_next_to_its_quantity(
    shop: Shop, open_window: Callable[..., Window], width: int, *, above: bool
) -> None:
    code = shop.create_product(quantity=5)
    place = f"Estantería {code} " + "del almacén general " * 2
    add_location(shop.inventory, name=place, actor="prueba", operation=new_operation_id())
    change_quantity(shop.inventory, code=code, delta=2, location=place, actor="prueba", operation=new_operation_id())
    window = open_window(width=width)
    window.page.goto(f"/inventory?search={code}")
    window.row(code).get_by_role("button", name="Sumar 1").click()
    window.sees("elija en cuál")

    forms = window.row(code).locator(".qty-place").all()
    names = [form.locator(".qty-where").bounding_box() for form in forms]
    fields = [form.get_by_role("textbox").bounding_box() for form in forms]
    whole = [form.bounding_box() for form in forms]
    assert len(forms) == 2
    assert len({round(box["x"] + box["width"]) for box in whole if box}) == 1
    for name, field, form in zip(names, fields, whole, strict=True):
        assert name is not None
        assert field is not None
        assert form is not None
        if above:
            assert name["y"] + name["height"] <= field["y"] + 1
            assert name["width"] >= form["width"] - 4
        else:
            assert name["x"] < field["x"]
            middles = [box["y"] + box["height"] / 2 for box in (name, field)]
            assert abs(middles[0] - middles[1]) < 2
            assert field["width"] > 80
    assert not window.is_too_wide()


def test_the_badge_of_the_menu_follows_a_changed_quantity_and_its_undo(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=2, minimum=2)
    page = window.page
    page.goto(f"/inventory?search={code}")
    badge = page.locator("#badge-low_stock-to_buy")
    before = int(badge.inner_text() or 0)

    window.row(code).get_by_role("button", name="Restar 1").click()
    window.sees("2 → 1")
    assert badge.inner_text() == str(before + 1)
    assert badge.is_visible()
    assert page.locator("#badge-low_stock-to_buy-again").text_content() == str(before + 1)

    window.row(code).get_by_role("button", name="Deshacer").click()
    window.row(code).locator(".qty-note").wait_for(state="detached")
    assert badge.inner_text() == (str(before) if before else "")
    assert badge.is_visible() == bool(before)
    assert window.violations() == []
