"""Every page on phone and desktop, light and dark: nothing is wider than the window, and every control has a name."""

from collections.abc import Callable

import pytest

from inventory_core import new_operation_id
from inventory_core.catalog.products import retire_product
from tests.browser.shop import Shop, Window

pytestmark = pytest.mark.browser

PAGES = (
    "/inventory?search={code}",
    "/inventory?search=nada-de-nada",
    "/products/{code}",
    "/products/{code}/edit",
    "/products/new",
    "/movements?code={code}",
    "/timeline?code={code}",
    "/dashboard",
    "/system?seen=web-2~3,web-3~90",
    "/low-stock",
    "/locations",
    "/imports/new",
    "/exports/new?search={code}",
    "/work",
    "/account",
    "/account/password",
    "/account/second-factor",
    "/users",
    "/audit",
    "/views?search={code}&category=x",
    "/labels?code={code}",
    "/scan",
    "/scan?mode=count&code={code}",
    "/scan?code=nada-de-nada",
    "/shortcuts",
    "/nowhere",
)


@pytest.fixture(scope="module")
def code(shop: Shop) -> str:
    """A product with an unbreakable word of 200 characters, and long texts."""
    return shop.create_product(
        code=shop.new_code().ljust(64, "X"),
        name="W" * 200,
        description=("d" * 200 + " ") * 9,
        category="C" * 80,
        quantity=1_000_000,
        minimum=1_000_000_000,
    )


@pytest.fixture(params=["light-360", "light-1280", "dark-360", "dark-1280"])
def sized(open_window: Callable[..., Window], request: pytest.FixtureRequest) -> Window:
    theme, width = str(request.param).split("-")
    return open_window("ada", width=int(width), dark=theme == "dark")


def test_no_page_is_wider_than_the_window(sized: Window, code: str) -> None:
    wide = []
    for address in PAGES:
        sized.page.goto(address.format(code=code))
        if sized.is_too_wide():
            wide.append(address)

    assert wide == []


def test_answers_to_forms_fit_the_window_and_can_be_read(sized: Window, code: str) -> None:
    page = sized.page
    page.goto(f"/inventory?search={code}")
    sized.row(code).get_by_role("textbox").fill("9" * 40)
    sized.row(code).get_by_role("textbox").press("Enter")
    sized.sees("el máximo es")
    assert not sized.is_too_wide()
    assert sized.violations() == []

    page.goto("/products/new")
    page.fill("#code", code)
    page.fill("#name", "W" * 200)
    page.get_by_role("button", name="Registrar").click()
    sized.sees("Ya existe")
    assert not sized.is_too_wide()
    assert sized.violations() == []

    page.goto("/imports/new")
    lines = f"code,name,quantity\n{code},{'W' * 300},1.5\n,,\n"
    page.set_input_files("#file", {"name": "w" * 150 + ".csv", "mimeType": "text/csv", "buffer": lines.encode()})
    page.get_by_role("button", name="Subir y revisar").click()
    sized.sees("Con errores")
    assert not sized.is_too_wide()
    assert sized.violations() == []


def test_a_retired_product_can_be_read_on_every_window(shop: Shop, sized: Window) -> None:
    code = shop.create_product()
    retire_product(shop.inventory, code=code, actor="prueba", operation=new_operation_id())
    sized.page.goto(f"/products/{code}")

    assert sized.page.get_by_role("button", name="Restaurar").is_visible()
    assert sized.violations() == []


def test_the_accessibility_checker_finds_nothing(sized: Window, code: str) -> None:
    found = []
    for address in PAGES:
        sized.page.goto(address.format(code=code))
        found += [f"{address}: {line}" for line in sized.violations()]

    assert found == []
