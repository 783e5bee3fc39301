"""Bulk edits in a browser: selecting by mouse, by keyboard and without scripts, and undo. Saved views too."""

from collections.abc import Callable

import pytest

from inventory_core.queries.products import get_product
from tests.browser.shop import Shop, Window, press

pytestmark = pytest.mark.browser


@pytest.fixture
def word(shop: Shop) -> str:
    """Finds five products, -A to -E, with 5 pieces each."""
    word = shop.new_code()
    for letter in "ABCDE":
        shop.create_product(code=f"{word}-{letter}", name=f"Mesa {letter}", quantity=5)
    return word


def marked(window: Window) -> str:
    """The last letters of the products that are marked."""
    codes = window.page.locator(".products tr:has(input[name=p]:checked) td:first-child a").all_inner_texts()
    return "".join(code[-1] for code in codes)


def minimums(shop: Shop, word: str) -> list[int]:
    return [get_product(shop.inventory, f"{word}-{letter}").row.minimum for letter in "ABCDE"]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_range_is_marked_changed_and_taken_back(
    shop: Shop, open_window: Callable[..., Window], word: str, width: int
) -> None:
    window = open_window(width=width)
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    assert not page.locator(".selection").is_visible()

    page.get_by_role("checkbox", name=f"{word}-B").click()
    page.get_by_role("checkbox", name=f"{word}-D").click(modifiers=["Shift"])
    assert marked(window) == "BCD"
    assert page.inner_text("#announcer") == "Seleccionados: 3"
    assert window.violations() == []
    assert not window.is_too_wide()

    page.get_by_role("button", name="Mínimo…").click()
    window.sees("Cambiar el mínimo de 3 productos")
    page.locator("#minimum:focus").wait_for()
    assert window.violations() == []
    assert not window.is_too_wide()
    page.keyboard.type("7")
    press(page, "Enter")
    window.sees("3 productos: mínimo 7.")
    assert minimums(shop, word) == [0, 7, 7, 7, 0]
    assert page.url.endswith(f"/inventory?search={word}&sort=code")
    assert window.violations() == []

    page.locator("#notices").get_by_role("button", name="Deshacer").click()
    window.sees("3 productos como antes")
    assert minimums(shop, word) == [0] * 5


def test_keys_alone_mark_products_and_retire_them(shop: Shop, window: Window, word: str) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    for key in ("j", "x", "j", "j", "Shift+X", "j", "Space"):
        press(page, key)
    assert marked(window) == "ABCD"
    press(page, "Space")
    assert marked(window) == "ABC"
    assert window.page.evaluate("document.activeElement.textContent") == f"{word}-D"

    page.get_by_role("button", name="Eliminar…").focus()
    press(page, "Enter")
    window.sees("Eliminar 3 productos")
    page.get_by_role("button", name="Sí, eliminar 3 productos").focus()
    press(page, "Enter")
    window.sees("3 productos eliminados")

    retired = [get_product(shop.inventory, f"{word}-{letter}").row.retired for letter in "ABCDE"]
    assert retired == [True, True, True, False, False]


def test_a_changed_quantity_keeps_the_marks_and_its_notice_moves_nothing(shop: Shop, window: Window, word: str) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    for letter in "AC":
        page.get_by_role("checkbox", name=f"{word}-{letter}").check()
    below = window.row(f"{word}-D").bounding_box()

    window.row(f"{word}-C").get_by_role("button", name="Sumar 1").click()
    window.sees("5 → 6")
    assert marked(window) == "AC"
    assert window.row(f"{word}-D").bounding_box() == below
    assert page.inner_text("#announcer") == f"{word}-C: 5 → 6"
    window.row(f"{word}-A").get_by_role("button", name="Restar 1").click()
    window.sees("5 → 4")

    assert page.locator(".qty-done").count() == 1
    assert shop.quantity(f"{word}-A") == 4
    press(page, "Escape")
    assert page.locator(".qty-done").count() == 0
    assert window.focused() == f"Restar 1 a {word}-A"


def test_the_keyboard_is_never_lost_when_marks_or_rows_go(window: Window, word: str) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    for key in ("j", "j", "x", "+"):
        press(page, key)
    window.sees("5 → 6")
    assert page.evaluate("document.activeElement.textContent") == f"{word}-B"

    page.get_by_role("checkbox", name=f"{word}-B").focus()
    press(page, "-")
    window.sees("6 → 5")
    assert page.evaluate("document.activeElement.name") == "p"
    assert marked(window) == "B"

    page.get_by_role("button", name="Quitar la selección").click()
    assert marked(window) == ""
    assert page.evaluate("document.activeElement.textContent") == f"{word}-B"


def test_the_whole_page_and_all_pages_are_a_click_away_and_back_and_reload_show_what_is_marked(
    window: Window, word: str
) -> None:
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    page.get_by_role("checkbox", name=f"{word}-A").check()
    page.get_by_role("checkbox", name="Toda esta página").check()
    assert marked(window) == "ABCDE"
    page.get_by_role("checkbox", name="Toda esta página").uncheck()
    assert marked(window) == ""

    page.get_by_role("checkbox", name=f"{word}-A").check()
    page.get_by_role("checkbox", name="Los de todas las páginas: 5 productos").check()
    page.get_by_role("button", name="Categoría…").click()
    window.sees("Cambiar la categoría de 5 productos")
    page.go_back()
    page.locator(".selection").wait_for(state="attached")
    label, count = page.inner_text("#selected"), len(marked(window))
    everywhere = page.locator("#s [name=all]").is_checked()
    assert not (everywhere or count) or label == f"Seleccionados: {'5 productos' if everywhere else count}"
    page.reload()
    page.fill("#search", f"{word}-A")
    window.sees("1 producto")

    assert marked(window) == ""
    assert not page.locator(".selection").is_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_without_scripts_the_bar_is_below_the_list_and_does_the_same(
    shop: Shop, open_window: Callable[..., Window], word: str, width: int
) -> None:
    window = open_window(width=width, script=False)
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    assert page.locator(".selection").is_visible()
    assert not page.locator("#whole-page").is_visible()
    for letter in "AE":
        page.get_by_role("checkbox", name=f"{word}-{letter}").check()

    page.get_by_role("button", name="Categoría…").click()
    page.get_by_role("combobox", name="Categoría").select_option("Ropa")
    page.get_by_role("button", name="Cambiar 2 productos").click()

    window.sees("2 productos: categoría «Ropa».")
    categories = [get_product(shop.inventory, f"{word}-{letter}").row.category for letter in "ABCDE"]
    assert categories == ["Ropa", None, None, None, "Ropa"]


def test_of_two_windows_the_second_sees_which_products_the_first_changed(
    shop: Shop, open_window: Callable[..., Window], word: str
) -> None:
    first, second = open_window("ada"), open_window("olga", width=360)
    for window in (first, second):
        window.page.goto(f"/inventory?search={word}&sort=code")
        for letter in "AB" if window is first else "BC":
            window.page.get_by_role("checkbox", name=f"{word}-{letter}").check()
        window.page.get_by_role("button", name="Mínimo…").click()
        window.page.get_by_role("textbox", name="Mínimo").fill("3" if window is first else "9")
    press(first.page, "Enter")
    first.sees("2 productos: mínimo 3.")
    press(second.page, "Enter")
    second.sees("Otra persona cambió algunos de estos productos")
    assert second.violations() == []
    assert not second.is_too_wide()

    second.page.get_by_role("button", name="Sin estos: Cambiar 1 producto").click()
    second.sees("1 producto: mínimo 9.")

    assert minimums(shop, word) == [3, 3, 9, 0, 0]


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_a_view_is_saved_from_the_list_and_opened_by_another_user(
    open_window: Callable[..., Window], word: str, width: int, dark: bool
) -> None:
    window = open_window(width=width, dark=dark)
    page = window.page
    page.goto(f"/inventory?search={word}&sort=-quantity")
    page.locator(".views > summary").click()
    page.get_by_label("Guardar lo que se ve como").fill(f"Vista {word}")
    assert window.violations() == []
    assert not window.is_too_wide()
    page.get_by_label("Compartir con todos").check()
    page.get_by_role("button", name="Guardar", exact=True).click()
    window.sees("guardada")

    other = open_window("vera", width=width)
    other.page.locator(".views > summary").focus()
    press(other.page, "Enter")
    other.page.get_by_role("link", name=f"Vista {word}").click()
    other.page.wait_for_url(f"**/inventory?search={word}&sort=-quantity")
    other.sees("5 productos")
    page.goto("/views")
    page.get_by_role("link", name=f"Cambiar la vista Vista {word}").click()
    assert window.violations() == []
    assert not window.is_too_wide()


def test_views_are_a_page_without_scripts(open_window: Callable[..., Window], word: str) -> None:
    window = open_window(script=False)
    page = window.page
    page.goto(f"/inventory?search={word}")
    page.locator(".views > summary").click()
    page.get_by_role("link", name="Vistas guardadas").click()
    page.get_by_role("textbox", name="Nombre").fill(word)
    page.get_by_role("button", name="Guardar", exact=True).click()

    window.sees("guardada")
    assert page.url.endswith(f"/inventory?search={word}")
