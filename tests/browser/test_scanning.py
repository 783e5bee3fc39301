"""Scanning in a browser: a USB scanner, a camera that reads our labels, and counting without a mouse."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import capabilities
from tests.browser.conftest import ARGUMENTS
from tests.browser.shop import Shop, Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 480


def type_as_a_scanner(window: Window, code: str) -> None:
    """All keys of the code and Enter, within a moment."""
    window.page.keyboard.type(code)
    window.page.keyboard.press("Enter")


def type_at_once(window: Window, code: str) -> None:
    """As a scanner, where the pages tell it from a hand: at one moment of their clock, however busy the machine is."""
    clock = window.page.clock
    clock.install()
    clock.pause_at(window.page.evaluate("Date.now()") + 1)
    type_as_a_scanner(window, code)
    clock.resume()


def choose(window: Window, mode: str) -> None:
    window.page.get_by_role("radio", name=mode).check()


@pytest.fixture
def see_label(
    shop: Shop, chromium: "Browser", open_window: Callable[..., Window], tmp_path: Path
) -> Iterator[Callable[[str], Window]]:
    """A window whose camera sees only the label of a product."""
    opened: list[Browser] = []

    def see(code: str) -> Window:
        film = tmp_path / "label.y4m"
        film.write_bytes(film_of(label_of(open_window(), code)))
        devices = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}")
        browser = chromium.browser_type.launch(
            executable_path=capabilities.chromium(), args=[*ARGUMENTS, *devices, "--use-fake-ui-for-media-stream"]
        )
        opened.append(browser)
        context = browser.new_context(base_url=shop.address, viewport={"width": 360, "height": 740}, locale="es-ES")
        context.grant_permissions(["camera"])
        window = Window(context.new_page(), shop.address)
        window.log_in("olga")
        return window

    yield see
    for browser in opened:
        browser.close()


def label_of(window: Window, code: str) -> list[list[bool]]:
    """The modules of the QR code on the page of a product."""
    window.page.goto(f"/products/{code}")
    drawing = window.page.get_by_role("img", name=f"Código QR de {code}")
    side = int((drawing.get_attribute("viewBox") or "").split()[2])
    modules = [[False] * side for _ in range(side)]
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)", drawing.locator("path").get_attribute("d") or ""):
        modules[int(y)][int(x) : int(x) + int(run)] = [True] * int(run)
    return modules


def film_of(modules: list[list[bool]]) -> bytes:
    """A film of a label on a grey table (YUV4MPEG2, one byte of light for each dot)."""
    size = 300 // len(modules)
    left, top = (WIDTH - size * len(modules)) // 2, (HEIGHT - size * len(modules)) // 2
    light = bytearray(b"\xb0" * WIDTH * HEIGHT)
    for y, row in enumerate(modules):
        for line in range(top + y * size, top + (y + 1) * size):
            shades = b"".join((b"\x10" if dark else b"\xeb") * size for dark in row)
            light[line * WIDTH + left : line * WIDTH + left + len(shades)] = shades
    frame = b"FRAME\n" + bytes(light) + b"\x80" * (WIDTH * HEIGHT // 2)
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2


def test_the_camera_opens_the_product_whose_label_it_sees(shop: Shop, see_label: Callable[[str], Window]) -> None:
    code = shop.create_product()
    window = see_label(code)
    window.page.goto("/scan")
    window.page.get_by_role("button", name="Usar la cámara").click()
    window.page.wait_for_url(f"**/products/{code}")

    assert window.trouble == []


def test_the_camera_counts_a_label_once_and_stops_on_request(shop: Shop, see_label: Callable[[str], Window]) -> None:
    code = shop.create_product(quantity=5)
    window = see_label(code)
    page = window.page
    page.goto("/scan")
    choose(window, "Sumar 1")
    page.get_by_role("button", name="Usar la cámara").click()
    window.sees("5 → 6")
    assert window.violations() == []
    page.get_by_role("button", name="Parar la cámara").click()

    assert page.locator("video").is_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None
    assert window.focused() == "camera-start"
    assert shop.quantity(code) == 6
    assert window.trouble == []


def test_the_camera_counts_a_label_once_on_a_slow_device(shop: Shop, see_label: Callable[[str], Window]) -> None:
    code = shop.create_product(quantity=5)
    window = see_label(code)
    page = window.page
    page.goto("/scan")
    choose(window, "Sumar 1")
    page.get_by_role("button", name="Usar la cámara").click()
    window.sees("5 → 6")
    page.evaluate("() => { const until = performance.now() + 2500; while (performance.now() < until); }")
    page.wait_for_timeout(1_500)

    assert shop.quantity(code) == 6
    page.get_by_role("button", name="Parar la cámara").click()
    assert window.trouble == []


def test_a_browser_that_denies_the_camera_offers_a_photo(window: Window) -> None:
    page = window.page
    page.goto("/scan")
    page.get_by_role("button", name="Usar la cámara").click()
    page.locator("#camera-message:not(:empty)").wait_for()

    assert page.get_by_text("Tomar una foto").is_visible()
    assert page.get_by_role("textbox", name="Código").is_enabled()
    assert window.violations() == []


def test_a_photo_of_a_label_is_as_good_as_a_scan(shop: Shop, window: Window) -> None:
    code, page = shop.create_product(), window.page
    page.goto(f"/products/{code}")
    label = page.get_by_role("img", name=f"Código QR de {code}").screenshot()
    no_label = page.locator("h1").screenshot()
    page.goto("/scan")
    page.get_by_role("button", name="Usar la cámara").click()
    page.locator("#camera-photo").wait_for()
    page.set_input_files("#camera-photo input", {"name": "1.png", "mimeType": "image/png", "buffer": no_label})
    window.sees("En la foto no se ve ningún código.")
    page.set_input_files("#camera-photo input", {"name": "2.png", "mimeType": "image/png", "buffer": label})

    page.wait_for_url(f"**/products/{code}")


@pytest.mark.parametrize("address", ["/inventory", "/products/{code}", "/locations"])
def test_a_scanner_opens_a_product_from_any_page_whatever_keys_its_code_has(
    shop: Shop, window: Window, address: str
) -> None:
    code = shop.create_product(code=f"n/?-{shop.new_code()} jk+", quantity=5)
    other = shop.create_product(code=f"a{shop.new_code()}")
    page = window.page
    page.goto(address.format(code=other))
    type_at_once(window, code)
    page.wait_for_url("**/products/n*")

    assert page.get_by_text(code).first.is_visible()
    assert shop.quantity(code) == 5


def test_a_scan_that_leads_nowhere_changes_nothing_on_the_row_that_has_the_keyboard(shop: Shop, window: Window) -> None:
    code, page = shop.create_product(quantity=5), window.page
    page.goto(f"/inventory?search={code}")
    page.keyboard.press("j")
    page.locator("td a:focus").wait_for()
    type_at_once(window, "--nadie--")
    window.sees("No hay ningún producto con el código «--nadie--».")

    assert shop.quantity(code) == 5


def test_keys_by_hand_still_mean_what_they_meant(window: Window) -> None:
    page = window.page
    page.goto("/inventory")
    page.keyboard.press("/")
    page.keyboard.type("mesa")
    page.locator("#search:focus").wait_for()

    assert page.input_value("#search") == "mesa"


def test_a_whole_count_needs_no_mouse_and_says_who_counted_what(shop: Shop, open_window: Callable[..., Window]) -> None:
    first, second = shop.create_product(quantity=5), shop.create_product(quantity=2)
    window = open_window(width=360)
    page = window.page
    page.goto("/scan")
    choose(window, "Contar")
    for code, counted in ((first, "7"), (second, "2")):
        page.locator("#scan:focus").wait_for()
        type_as_a_scanner(window, code)
        page.locator("[name=quantity]:focus").wait_for()
        assert window.violations() == []
        page.keyboard.type(counted)
        page.keyboard.press("Enter")
        page.locator("#scan:focus").wait_for()

    window.sees("2, como estaba")
    assert page.locator("#announcer").text_content() == f"«{second}» en Principal: 2, como estaba"
    latest = page.locator(".scan-latest li").all_text_contents()
    assert [code in line and "olga" in line for code, line in zip((second, first), latest, strict=False)] == [
        True,
        True,
    ]
    assert (shop.quantity(first), shop.quantity(second)) == (7, 2)
    assert not window.is_too_wide()


def test_each_of_many_quick_scans_counts(shop: Shop, window: Window) -> None:
    one, other = shop.create_product(quantity=5), shop.create_product(quantity=5)
    window.page.goto("/scan")
    choose(window, "Sumar 1")
    for code in (one, one, other, one, other):
        type_as_a_scanner(window, code)
    window.sees(f"«{other}» en Principal: 6 → 7")

    assert (shop.quantity(one), shop.quantity(other)) == (8, 7)


def test_a_scanner_that_types_into_a_quantity_means_the_next_product(shop: Shop, window: Window) -> None:
    first, second = shop.create_product(quantity=5), shop.create_product(code="77" + shop.new_code()[1:8], quantity=2)
    page = window.page
    page.goto(f"/scan?mode=count&code={first}")
    type_at_once(window, second)
    window.sees("Según el inventario: 2")
    page.get_by_label("¿Cuántas hay en Principal?").fill("9")
    type_at_once(window, first)
    window.sees("Guarde antes esta cantidad, o déjela como estaba.")

    assert page.get_by_label("¿Cuántas hay en Principal?").input_value() == "9"
    assert (shop.quantity(first), shop.quantity(second)) == (5, 2)


def test_counting_works_without_scripts(shop: Shop, open_window: Callable[..., Window]) -> None:
    code, window = shop.create_product(quantity=5), open_window(script=False)
    page = window.page
    page.goto("/scan")
    choose(window, "Contar")
    page.get_by_role("textbox", name="Código").fill(code)
    page.get_by_role("button", name="Buscar el código").click()
    page.get_by_label("¿Cuántas hay en Principal?").fill("8")
    page.get_by_role("button", name="Guardar").click()
    window.sees("5 → 8")

    assert page.get_by_role("button", name="Usar la cámara").count() == 0
    assert shop.quantity(code) == 8
