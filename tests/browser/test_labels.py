"""Printed labels: paper size, content inside each label, and readable codes."""

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import zxingcpp

from tests.browser.shop import Shop, Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

MILLIMETRES_OF_A_POINT = 25.4 / 72
PAPERS = {
    "a4-3x8": (210, 297),
    "a4-4x10": (210, 297),
    "letter-5160": (215.9, 279.4),
    "roll-62x29": (62, 29),
    "roll-50x25": (50, 25),
}


def ask_for_labels(window: Window, codes: list[str], sheet: str, symbol: str, first: str = "1") -> None:
    page = window.page
    page.goto("/labels")
    page.fill("#codes", "\n".join(codes))
    page.select_option("#sheet", sheet)
    page.fill("#first", first)
    page.get_by_role("radio", name={"qr": "Código QR", "bars": "Código de barras", "both": "Los dos"}[symbol]).check()
    page.get_by_role("button", name="Ver las etiquetas").click()
    page.wait_for_url("**/labels/print")


def codes_read(chromium: "Browser", picture: bytes) -> list[str]:
    """What a reader finds in a picture; a browser turns it into shades of grey, of which the reader knows no more."""
    page = chromium.new_page()
    answer = page.evaluate(
        """async (png) => {
            const picture = new Image();
            picture.src = "data:image/png;base64," + png;
            await picture.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [picture.width, picture.height];
            const paper = canvas.getContext("2d");
            paper.drawImage(picture, 0, 0);
            const dots = paper.getImageData(0, 0, canvas.width, canvas.height).data;
            let grey = "";
            for (let i = 1; i < dots.length; i += 4) grey += String.fromCharCode(dots[i]);
            return [canvas.width, canvas.height, btoa(grey)];
        }""",
        base64.b64encode(picture).decode(),
    )
    page.close()
    grey = memoryview(base64.b64decode(answer[2])).cast("B", shape=[answer[1], answer[0]])
    return sorted(barcode.text for barcode in zxingcpp.read_barcodes(grey))


@pytest.mark.parametrize(("sheet", "size"), PAPERS.items(), ids=str)
def test_a_print_has_the_size_of_its_paper_and_a_page_for_each_sheet(
    shop: Shop, window: Window, sheet: str, size: tuple[float, float]
) -> None:
    ask_for_labels(window, [shop.create_product() for _ in range(3)], sheet, "both")
    printed = window.page.pdf(prefer_css_page_size=True)

    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert len(boxes) == (3 if sheet.startswith("roll") else 1)
    for box in boxes:
        assert [float(length) * MILLIMETRES_OF_A_POINT for length in box] == pytest.approx(size, abs=0.3)


@pytest.mark.parametrize("sheet", PAPERS)
def test_every_code_can_be_read_from_the_print(
    shop: Shop, open_window: Callable[..., Window], chromium: "Browser", sheet: str
) -> None:
    window = open_window(dark=True)
    page = window.page
    codes = [shop.create_product(name=name) for name in ("Mesa", "W" * 200, "Un nombre largo " * 12)]
    ask_for_labels(window, codes, sheet, "both")
    page.emulate_media(media="print")
    page.evaluate("document.querySelector('.label-sheets').style.zoom = 3")
    shown = page.locator(".label-sheet")
    read = [code for place in range(shown.count()) for code in codes_read(chromium, shown.nth(place).screenshot())]

    assert sorted(read) == sorted(codes * 2)


@pytest.mark.parametrize("symbol", ["qr", "bars", "both"])
def test_nothing_leaves_its_label_however_long_it_is(shop: Shop, window: Window, symbol: str) -> None:
    page = window.page
    long = shop.create_product(code=shop.new_code().ljust(64, "W"), name="Ñ" * 200, category="C" * 80, quantity=5)
    codes = [long, shop.create_product(name="palabra " * 25)]
    over = []
    for sheet in PAPERS:
        ask_for_labels(window, codes, sheet, symbol)
        page.emulate_media(media="print")
        over += page.evaluate(
            """() => [...document.querySelectorAll(".label")].flatMap((label) => {
                const edge = label.getBoundingClientRect();
                return [...label.querySelectorAll("svg, .label-text")].filter((part) => {
                    const box = part.getBoundingClientRect();
                    return box.left < edge.left || box.right > edge.right + 0.1 || box.bottom > edge.bottom + 0.1;
                }).map((part) => part.outerHTML.slice(0, 80));
            })"""
        )
        page.emulate_media(media="screen")

    assert over == []


def test_the_print_begins_where_the_sheet_is_free_and_can_be_changed(shop: Shop, window: Window) -> None:
    page = window.page
    ask_for_labels(window, [shop.create_product()], "a4-3x8", "qr", first="5")
    sheet = page.locator(".label-sheet").bounding_box()
    label = page.locator(".label").bounding_box()
    assert sheet
    assert label
    millimetre = sheet["width"] / 210

    assert (label["x"] - sheet["x"]) / millimetre == pytest.approx(70, abs=0.2)
    assert (label["y"] - sheet["y"]) / millimetre == pytest.approx(37.5, abs=0.2)
    assert page.get_by_role("button", name="Imprimir").is_visible()
    page.get_by_role("button", name="Cambiar").click()
    page.wait_for_url("**/labels/change")
    assert page.input_value("#first") == "5"


@pytest.mark.parametrize("width", [360, 1280])
def test_sheets_fit_every_window_and_can_be_used_without_scripts(
    shop: Shop, open_window: Callable[..., Window], width: int
) -> None:
    code = shop.create_product()
    window = open_window(width=width)
    for sheet in PAPERS:
        ask_for_labels(window, [code], sheet, "both")
        assert not window.is_too_wide(), sheet
        assert window.violations() == []
    plain = open_window(width=width, script=False)
    ask_for_labels(plain, [code], "a4-3x8", "qr")

    assert plain.page.get_by_role("button", name="Imprimir").count() == 0
    assert plain.page.locator(".label").count() == 1
