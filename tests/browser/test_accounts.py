"""Accounts in a browser: second factor, audit, and sessions that expire during work."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyotp
import pytest
from sqlalchemy import delete

from inventory_core.inventory import Inventory
from inventory_web.audit.log import Author
from inventory_web.auth import two_factor
from inventory_web.db.models import UserSession
from tests.browser.shop import PASSWORD, Shop, Window

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


@pytest.fixture
def without_second_factor(shop: Shop) -> Iterator[None]:
    """The other tests log in with the password alone."""
    yield
    two_factor.disable(shop.inventory, name="vera", by=Author("prueba"))


def give_name_and_password(page: "Page", name: str) -> None:
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")


def end_every_session(inventory: Inventory) -> None:
    inventory.sessions.write(lambda session: session.execute(delete(UserSession)).close())


@pytest.mark.usefixtures("without_second_factor")
@pytest.mark.parametrize("dark", [False, True])
def test_a_second_factor_is_set_up_and_used_on_a_phone(open_window: Callable[..., Window], *, dark: bool) -> None:
    window = open_window("vera", width=360, dark=dark)
    page = window.page
    page.get_by_role("link", name="vera").click()
    page.get_by_role("link", name="Verificación en dos pasos").click()
    page.fill("#current_password", PASSWORD)
    page.get_by_role("button", name="Empezar").click()
    page.locator("svg.qr").wait_for()
    secret = "".join(page.locator(".enrol-secret code").all_inner_texts())
    _is_fine(window)

    page.fill("#second_code", pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Activar").click()
    page.wait_for_url("**/account/second-factor/codes")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    _is_fine(window)
    with page.expect_download() as download:
        page.get_by_role("link", name="Descargar").click()
    assert codes[9] in download.value.path().read_text("utf-8")
    page.get_by_role("button", name="Ya los he guardado").click()
    page.get_by_text("Activada").wait_for()
    _is_fine(window)

    page.get_by_role("button", name="Salir").click()
    give_name_and_password(page, "vera")
    page.wait_for_url("**/login/code")
    page.locator("#second_code:focus").wait_for()
    _is_fine(window)
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    window.sees("El código no es correcto")
    page.fill("#second_code", codes[0].upper())
    page.keyboard.press("Enter")
    page.wait_for_url("**/inventory")
    page.goto("/account/second-factor")
    window.sees("Le quedan 9 códigos")
    _is_fine(window)


@pytest.mark.parametrize("script", [True, False])
def test_a_form_of_an_ended_session_comes_back_after_the_login_and_is_sent_once(
    shop: Shop, open_window: Callable[..., Window], *, script: bool
) -> None:
    window, code = open_window(width=360, script=script), shop.new_code()
    page = window.page
    page.goto("/products/new")
    page.fill("#code", code)
    page.fill("#name", "Lámpara «ñ» 😀")
    page.fill("#description", "\n  primera\nsegunda & <b>")
    page.fill("#quantity", "7")
    end_every_session(shop.inventory)
    page.get_by_role("button", name="Registrar").click()
    window.sees("lo que escribió no se pierde")

    give_name_and_password(page, "olga")
    window.sees("Lo que había escrito")
    window.sees("Lámpara «ñ» 😀")
    if script:
        _is_fine(window)
    page.reload()
    page.get_by_role("button", name="Enviar ahora").click()
    page.wait_for_url(f"**/products/{code}")

    assert shop.quantity(code) == 7
    assert page.locator(".description").text_content() == "\n  primera\nsegunda & <b>".strip()
    page.go_back()
    page.get_by_role("button", name="Enviar ahora").click()
    page.wait_for_url(f"**/products/{code}")
    assert shop.quantity(code) == 7


def test_a_quantity_typed_after_the_end_of_the_session_stays_and_is_saved_after_a_login_next_to_it(
    shop: Shop, open_window: Callable[..., Window]
) -> None:
    code = shop.create_product(quantity=5)
    window = open_window()
    page = window.page
    page.goto(f"/inventory?search={code}")
    end_every_session(shop.inventory)
    field = window.row(code).get_by_role("textbox")
    field.fill("8")
    field.press("Enter")
    window.sees("Su sesión ha terminado")
    assert field.input_value() == "8"
    assert window.violations() == []

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Entrar en otra pestaña").click()
    give_name_and_password(opened.value, "olga")
    opened.value.wait_for_url("**/inventory")
    field.press("Enter")
    page.locator(".qty-done").wait_for()

    assert shop.quantity(code) == 8
    assert page.locator("#notices > *").count() == 0


def test_after_a_login_in_another_tab_a_page_continues_with_one_click(
    shop: Shop, open_window: Callable[..., Window]
) -> None:
    codes = [shop.create_product(quantity=417) for _ in "ab"]
    row, scan = open_window(width=360), open_window()
    row.page.goto(f"/inventory?search={codes[0]}")
    scan.page.goto("/scan?mode=add")
    end_every_session(shop.inventory)
    more = row.row(codes[0]).get_by_role("button", name="Sumar 1")
    more.click()
    row.sees("Su sesión ha terminado")
    scan.page.fill("#scan", codes[1])
    scan.page.press("#scan", "Enter")
    scan.sees("Su sesión ha terminado")
    assert scan.page.locator("#scan").input_value() == codes[1]

    for window in (row, scan):
        with window.page.context.expect_page() as opened:
            window.page.get_by_role("link", name="Entrar en otra pestaña").click()
        give_name_and_password(opened.value, "olga")
        opened.value.wait_for_url("**/inventory")
    more.click()
    row.sees("417 → 418")
    scan.page.press("#scan", "Enter")
    scan.sees("417 → 418")

    assert [shop.quantity(code) for code in codes] == [418, 418]
    assert row.violations() + scan.violations() == []


def test_the_end_of_the_session_is_visible_far_down_a_page(shop: Shop, open_window: Callable[..., Window]) -> None:
    word = shop.new_code()
    codes = [shop.create_product(code=f"{word}-{number:02}", quantity=5) for number in range(20)]
    window = open_window(width=360)
    page = window.page
    page.goto(f"/inventory?search={word}&sort=code")
    end_every_session(shop.inventory)
    more = window.row(codes[-1]).get_by_role("button", name="Sumar 1")
    more.click()
    window.sees("Su sesión ha terminado")
    reported = page.locator("#notices > .alert").bounding_box()
    assert reported is not None
    assert 0 <= reported["y"] <= 740 - reported["height"]
    assert window.violations() == []

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Entrar en otra pestaña").click()
    give_name_and_password(opened.value, "olga")
    opened.value.wait_for_url("**/inventory")
    more.click()
    window.sees("5 → 6")
    assert page.locator("#notices > .alert").count() == 0


def test_a_login_without_cookies_reports_that_instead_of_repeating(shop: Shop, window: Window) -> None:
    code = shop.create_product(quantity=5)
    page = window.page
    page.goto(f"/inventory?search={code}")
    requested: list[str] = []
    refusal = {
        "HX-Trigger": '{"inventory:token": {"token": "of no session"}}',
        "HX-Retarget": "#notices",
        "HX-Reswap": "innerHTML",
    }

    def refuse(route: "Route") -> None:
        requested.append(route.request.url)
        route.fulfill(status=400, headers=refusal, content_type="text/html", body="<p>Ya puede repetirlo.</p>")

    page.route("**/quantity", refuse)
    window.row(code).get_by_role("button", name="Sumar 1").click()
    window.sees("Ya puede repetirlo")
    page.wait_for_load_state("networkidle")

    assert len(requested) == 2


def test_a_session_that_is_ended_from_another_device_is_over(
    open_window: Callable[..., Window],
) -> None:
    phone, desk = open_window("vera", width=360), open_window("vera")
    desk.page.goto("/account")
    _is_fine(desk)
    desk.page.get_by_role("button", name="Cerrar todas las demás").click()
    desk.sees("Se ha")
    phone.page.goto("/movements")

    assert "/login" in phone.page.url
    assert desk.page.locator("li.list-group-item", has_text="Esta sesión").count() == 1


def test_what_a_role_may_not_do_is_not_offered_and_says_whom_to_ask(open_window: Callable[..., Window]) -> None:
    window = open_window("vera", width=360)
    page = window.page
    offered = page.locator("a[href='/users'], a[href='/audit'], a[href='/imports/new'], a[href='/products/new']")
    assert offered.count() == 0

    page.goto("/audit")
    window.sees("hace falta «Administrador»")
    window.sees("ada")
    _is_fine(window)


def _is_fine(window: Window) -> None:
    assert not window.is_too_wide()
    assert window.violations() == []
