"""Light theme, dark theme and print."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.shop import Shop, Window

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

COLOURS = """() => [...document.querySelectorAll("*")].map((e) => {
    const style = getComputedStyle(e);
    return [e.tagName, e.className, style.color, style.backgroundColor, style.borderTopColor, style.backgroundImage].join(" ");
})"""


def test_what_is_chosen_looks_like_what_the_system_says_and_wins_over_it(
    shop: Shop, open_window: Callable[..., Window]
) -> None:
    code = shop.create_product(quantity=5, minimum=9)
    seen = {}
    for system in ("light", "dark"):
        window = open_window(dark=system == "dark")
        for chosen in ("system", "light", "dark"):
            window.page.goto("/inventory")
            _choose(window.page, chosen)
            seen[system, chosen] = _colours(window.page, code)

    assert seen["light", "system"] == seen["light", "light"] == seen["dark", "light"]
    assert seen["dark", "system"] == seen["dark", "dark"] == seen["light", "dark"]
    assert seen["light", "light"] != seen["dark", "dark"]


@pytest.mark.parametrize("width", [320, 1280])
def test_the_choice_is_made_before_the_login_and_closes_with_escape(
    open_window: Callable[..., Window], width: int
) -> None:
    window = open_window(width=width)
    window.page.context.clear_cookies()
    window.page.goto("/login")
    menu = window.page.locator(".app-theme > summary")
    menu.click()
    assert window.violations() == []
    assert not window.is_too_wide()
    window.page.keyboard.press("Escape")
    assert not window.page.get_by_role("button", name="Oscuro").is_visible()
    assert menu.evaluate("(e) => e === document.activeElement")

    _choose(window.page, "dark")
    window.log_in("olga")

    assert window.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert window.violations() == []


def test_a_theme_is_chosen_without_scripts(open_window: Callable[..., Window]) -> None:
    window = open_window(script=False)
    _choose(window.page, "dark")

    assert window.page.get_attribute("html", "data-bs-theme") == "dark"
    assert window.page.url.endswith("/inventory")


def test_paper_has_the_list_and_nothing_to_press(shop: Shop, open_window: Callable[..., Window]) -> None:
    code = shop.create_product(name="Mesa de roble", quantity=5)
    window = open_window(dark=True)
    page = window.page
    for address in (f"/inventory?search={code}", f"/products/{code}"):
        page.emulate_media(media="screen")
        page.goto(address)
        assert page.get_by_role("button").first.is_visible()

        page.emulate_media(media="print")
        shown = [e for e in page.locator("a.btn, button, summary, select, nav, #search").all() if e.is_visible()]

        assert [element.inner_text() for element in shown] == []
        assert page.get_by_text("Mesa de roble").first.is_visible()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
        assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        assert page.evaluate("getComputedStyle(document.querySelector('td')).borderTopStyle") == "solid"


def test_nothing_moves_with_reduced_motion(window: Window) -> None:
    moving = """() => [...document.querySelectorAll("*")].filter((e) => {
        const style = getComputedStyle(e);
        return parseFloat(style.transitionDuration) > 0.001 || parseFloat(style.animationDuration) > 0.001;
    }).length"""
    window.page.emulate_media(reduced_motion="no-preference")
    assert window.page.evaluate(moving) > 0
    window.page.emulate_media(reduced_motion="reduce")

    assert window.page.evaluate(moving) == 0


def _choose(page: "Page", theme: str) -> None:
    page.locator(".app-theme > summary").click()
    page.locator(f".app-theme button[value={theme}]").click()
    page.locator(f".app-theme button[value={theme}][aria-pressed=true]").wait_for(state="attached")


def _colours(page: "Page", code: str) -> list[str]:
    found = []
    for address in (f"/inventory?search={code}", f"/products/{code}", "/movements"):
        page.goto(address)
        # The picture of the choice itself, and which of its buttons is pressed, are what differs.
        page.locator(".app-theme").evaluate("(e) => e.remove()")
        found += page.evaluate(COLOURS)
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_way_to_the_content_can_be_read_where_it_appears(open_window: Callable[..., Window], dark: bool) -> None:
    window = open_window(dark=dark)
    page = window.page
    page.goto("/dashboard")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Ir al contenido")

    assert link.evaluate("e => e === document.activeElement")
    assert window.violations() == []
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
