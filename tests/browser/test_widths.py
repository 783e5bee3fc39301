"""Window widths from phone to wide desktop: no page scrolls sideways, and the whole menu is visible without scrolling."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.shop import Shop, Window, press

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
WIDTHS = (320, 400, 480, 540, 576, 640, 700, 768, 860, 992, 1024, 1100, 1440, 2560)
PAGES = (
    "/inventory?search={code}",
    "/products/{code}",
    "/products/{code}/edit",
    "/movements?code={code}",
    "/timeline",
    "/timeline?code={code}",
    "/dashboard",
    "/low-stock?search={code}",
    "/locations",
    "/users",
    "/audit",
    "/work",
    "/labels?code={code}",
    "/scan?mode=count&code={code}",
)
NARROW = (320, 360)
FURTHER = "nav .app-more"


@pytest.mark.parametrize("language", ["es", "en"])
def test_no_page_scrolls_sideways_at_any_width(shop: Shop, open_window: Callable[..., Window], language: str) -> None:
    code = shop.create_product(name="Taladro percutor inalámbrico con dos baterías", quantity=12_345, minimum=20_000)
    window = open_window("ada", language=language)
    wide = []
    for address in PAGES:
        window.page.goto(address.format(code=code))
        for width in WIDTHS:
            window.page.set_viewport_size({"width": width, "height": 800})
            if window.is_too_wide():
                wide.append((address, width))

    assert wide == []


@pytest.mark.parametrize("width", [360, 640, 1000])
def test_products_are_cards_that_can_be_changed_where_the_table_has_no_room(
    shop: Shop, open_window: Callable[..., Window], width: int
) -> None:
    code = shop.create_product(quantity=5)
    window = open_window(width=width)
    window.page.goto(f"/inventory?search={code}")
    assert not window.page.get_by_text("Mínimo", exact=True).is_visible()
    window.page.locator("#sort-quantity").click()
    window.page.wait_for_url("**sort=quantity*")
    button = window.row(code).get_by_role("button", name="Sumar 1")
    box = button.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width

    button.click()
    window.sees("5 → 6")
    assert window.faults() == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [*NARROW, 640, 800, 1000, 1280])
def test_the_menu_never_scrolls_and_offers_each_line_once(
    open_window: Callable[..., Window], width: int, script: bool
) -> None:
    window = open_window("ada", width=width, script=script)
    page = window.page
    bar = page.locator("nav .navbar-nav")
    assert bar.evaluate("e => e.scrollWidth <= e.clientWidth && getComputedStyle(e).overflowX === 'visible'")
    assert bar.evaluate("e => new Set([...e.children].filter((l) => l.offsetHeight).map((l) => l.offsetTop)).size") == 1

    page.locator(f"{FURTHER} > summary").click()
    links = page.locator("nav.app-menu a")
    shown = [link.get_attribute("href") for link in links.all() if link.is_visible()]
    assert len(shown) == len(set(shown))
    assert set(shown) == {link.get_attribute("href") for link in links.all()}
    assert not window.is_too_wide()
    if script:
        assert window.violations() == []


@pytest.mark.parametrize("width", NARROW)
def test_on_a_phone_the_menu_is_big_enough_for_a_thumb_and_reached_with_the_keyboard(
    open_window: Callable[..., Window], width: int
) -> None:
    window = open_window("olga", width=width)
    page = window.page
    page.locator(f"{FURTHER} > summary").focus()
    press(page, "Enter")
    targets = [t for t in page.locator("nav.app-menu a, nav.app-menu summary").all() if t.is_visible()]
    small = [
        t.inner_text() for t in targets if (box := t.bounding_box()) is None or min(box["width"], box["height"]) < 40
    ]
    assert small == []

    press(page, "Tab")
    press(page, "Enter")
    page.wait_for_url("**/low-stock")
    assert page.locator(f"{FURTHER} > summary").evaluate("e => getComputedStyle(e).boxShadow") != "none"
    press(page, "Escape")


def test_on_a_phone_what_a_search_finds_shows_above_the_keyboard(shop: Shop, chromium: "Browser") -> None:
    code = shop.create_product(name="Taladro")
    # With a second location the list has a third filter.
    shop.inventory.add_location(f"Almacén {code}", actor="prueba")
    context = chromium.new_context(
        base_url=shop.address, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, locale="es-ES"
    )
    window = Window(context.new_page(), shop.address)
    window.log_in("olga")
    page = window.page
    # The keyboard of a phone takes a good half of the window.
    page.set_viewport_size({"width": 360, "height": 360})
    page.tap("#search")
    page.keyboard.type(code.lower())
    page.wait_for_url(f"**search={code.lower()}*")
    page.wait_for_load_state("networkidle")
    window.row(code).wait_for()

    link = page.get_by_role("link", name=code, exact=True).bounding_box()
    field = page.locator("#search").bounding_box()
    assert link is not None
    assert field is not None
    assert field["y"] >= 0
    assert link["y"] + link["height"] <= 360
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_what_opens_below_a_button_is_inside_the_window(
    shop: Shop, open_window: Callable[..., Window], width: int
) -> None:
    code = shop.create_product(name="W" * 200)
    window = open_window(width=width)
    page = window.page
    page.goto(f"/products/{code}")
    page.locator("summary", has_text="Eliminar").click()
    panel = page.locator(".confirm-panel").bounding_box()

    assert panel is not None
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= width


def test_at_twice_the_size_the_marked_products_stay_in_sight_above_what_is_done_with_them(
    shop: Shop, open_window: Callable[..., Window]
) -> None:
    code = shop.create_product()
    window = open_window()
    page = window.page
    page.set_viewport_size({"width": 640, "height": 400})
    page.goto(f"/inventory?search={code}")
    page.locator("input[name=p]").check()
    bar = page.locator(".selection").bounding_box()

    assert bar is not None
    assert bar["height"] <= 400 / 3
    assert window.violations() == []
