"""Keyboard shortcuts: moving in the list, changing quantities, the shortcut list, and none of them while typing."""

from collections.abc import Callable

import pytest

from tests.browser.shop import Shop, Window, press

pytestmark = pytest.mark.browser


@pytest.fixture
def word(shop: Shop) -> str:
    """Finds three products, -A, -B and -C, with 5 pieces each."""
    word = shop.new_code()
    for letter in "ABC":
        shop.create_product(code=f"{word}-{letter}", name=f"Mesa {letter}", quantity=5)
    return word


def test_keys_lead_through_the_list_and_open_a_product(window: Window, word: str) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    walked = []
    for key in ("j", "j", "ArrowDown", "ArrowDown", "k", "ArrowUp", "k"):
        press(page, key)
        walked.append(page.evaluate("document.activeElement.textContent")[-1])

    assert "".join(walked) == "ABCCBAA"
    press(page, "ArrowUp")
    assert window.focused() == "Buscar"
    press(page, "ArrowDown")
    press(page, "j")
    press(page, "Enter")
    page.wait_for_url(f"**/products/{word}-B")


def test_plus_and_minus_change_the_row_and_the_keyboard_stays_in_it(shop: Shop, window: Window, word: str) -> None:
    page, code = window.page, f"{word}-B"
    page.goto(f"/inventory?search={word}&sort=code")
    for key in ("j", "j", "+"):
        press(page, key)
    window.sees("5 → 6")
    assert page.evaluate("document.activeElement.textContent") == code

    press(page, "-")
    window.sees("6 → 5")
    press(page, "j")

    assert page.evaluate("document.activeElement.textContent") == f"{word}-C"
    assert [shop.quantity(f"{word}-{letter}") for letter in "ABC"] == [5, 5, 5]


def test_each_of_several_quick_presses_counts(shop: Shop, window: Window, word: str) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}-A")
    press(page, "j")
    for _ in range(4):
        press(page, "+")
    window.sees("8 → 9")

    assert shop.quantity(f"{word}-A") == 9


def test_a_refused_press_ends_those_that_wait_behind_it(shop: Shop, window: Window) -> None:
    code, page = shop.create_product(quantity=1), window.page
    page.goto(f"/inventory?search={code}")
    press(page, "j")
    # In one breath, so that none is pressed after the first answer, however quick the server is.
    page.evaluate(
        "keys => keys.forEach(key => document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})))",
        ["-", "-", "-", "+"],
    )
    page.locator(".qty-fault").wait_for()
    page.wait_for_load_state("networkidle")

    assert shop.quantity(code) == 0


def test_keys_are_text_in_a_field_and_the_browsers_own_with_a_modifier(shop: Shop, window: Window, word: str) -> None:
    page = window.page
    page.goto("/inventory")
    page.click("#search")
    page.keyboard.type("/?jkn+-")
    assert page.input_value("#search") == "/?jkn+-"

    page.goto(f"/inventory?search={word}-A")
    press(page, "j")
    for key in ("Control+j", "Alt+n", "Control+-", "Control++", "Meta+/"):
        press(page, key)

    assert page.evaluate("document.activeElement.textContent") == f"{word}-A"
    assert page.url.endswith(f"/inventory?search={word}-A")
    assert shop.quantity(f"{word}-A") == 5


def test_search_and_a_new_product_are_a_key_away_on_every_page(window: Window) -> None:
    page = window.page
    page.goto("/locations")
    press(page, "n")
    page.wait_for_url("**/products/new")
    page.goto("/locations")
    press(page, "/")
    page.wait_for_url("**/inventory#search")

    assert window.focused() == "Buscar"


def test_a_question_mark_opens_the_list_of_the_keys_and_escape_leads_back(window: Window, word: str) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    for key in ("j", "j", "?"):
        press(page, key)
    dialog = page.get_by_role("dialog", name="Atajos de teclado")
    dialog.wait_for()
    assert window.violations() == []
    press(page, "n")
    press(page, "j")
    press(page, "Escape")
    dialog.wait_for(state="hidden")

    assert page.evaluate("document.activeElement.textContent") == f"{word}-B"
    press(page, "?")
    dialog.get_by_role("button", name="Cerrar").click()
    dialog.wait_for(state="hidden")
    page.get_by_role("link", name="Atajos de teclado").click()
    dialog.wait_for()


def test_the_list_of_the_keys_is_a_page_without_scripts(open_window: Callable[..., Window]) -> None:
    window = open_window(script=False)
    window.page.get_by_role("link", name="Atajos de teclado").click()
    window.page.wait_for_url("**/shortcuts")

    window.sees("Ir a la búsqueda")


def test_who_may_only_look_has_keys_for_looking_alone(
    shop: Shop, open_window: Callable[..., Window], word: str
) -> None:
    window = open_window("vera")
    page = window.page
    page.goto(f"/inventory?search={word}-A")
    for key in ("j", "+", "n"):
        press(page, key)

    assert page.evaluate("document.activeElement.textContent") == f"{word}-A"
    assert page.url.endswith(f"/inventory?search={word}-A")
    assert shop.quantity(f"{word}-A") == 5
