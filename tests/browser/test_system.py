"""The topology page in a browser: it polls only while it is visible."""

import pytest

from tests.browser.shop import Window

pytestmark = pytest.mark.browser
HIDE = "hidden => Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })"


def test_the_system_page_polls_itself_and_keeps_the_instances_it_has_seen(window: Window) -> None:
    page = window.page
    page.goto("/system?seen=web-2~3")
    with page.expect_response("**/system?seen=*web-2*5*") as first:
        page.get_by_text("Respondió hace 3 segundos").wait_for()

    assert first.value.ok
    page.get_by_text("Respondió hace 5 segundos").wait_for()
    page.get_by_text("Respondió hace 7 segundos").wait_for()


def test_the_system_page_does_not_poll_in_a_hidden_window(window: Window) -> None:
    page = window.page
    page.goto("/system?seen=web-2~3")
    page.evaluate(HIDE, True)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.wait_for_timeout(5_000)
    assert requests == []
    page.evaluate(HIDE, False)
    page.get_by_text("Respondió hace 5 segundos").wait_for()
