"""Pages and files are compressed for clients that accept it, but not for requests that another site may have caused."""

import gzip
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from inventory_web.http.assets import YEAR_SECONDS
from tests.web.browser import Browser

TAKES = {"Accept-Encoding": "gzip, deflate, br"}


def page(browser: Browser, **headers: str) -> TestResponse:
    return browser.client.get(
        "/inventory", headers={**TAKES, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app).let_in("olga")


@pytest.mark.parametrize("origin", ["same-origin", "none"])
def test_a_page_comes_as_gzip_and_says_so(browser: Browser, origin: str) -> None:
    plain = browser.get("/inventory")
    packed = page(browser, Sec_Fetch_Site=origin)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert "</html>" in gzip.decompress(packed.data).decode()
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("origin", ["cross-site", "same-site", "", "same-origin, none"])
def test_a_page_that_another_site_can_have_requested_is_not_compressed(browser: Browser, origin: str) -> None:
    answer = page(browser, Sec_Fetch_Site=origin)

    assert "Content-Encoding" not in answer.headers
    assert "</html>" in answer.text


def test_a_browser_that_does_not_say_where_it_comes_from_gets_gzip_over_plain_http_only(
    lend_app: Callable[..., Flask],
) -> None:
    browser = Browser(lend_app(proxies=1)).let_in("olga")

    assert page(browser, X_Forwarded_Proto="http").headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in page(browser, X_Forwarded_Proto="https").headers


@pytest.mark.parametrize("takes", ["", "identity", "gzip;q=0", "br", "gzip;q=0, *"])
def test_who_does_not_take_gzip_gets_the_page_as_it_is(browser: Browser, takes: str) -> None:
    answer = browser.get("/inventory", headers={"Accept-Encoding": takes, "Sec-Fetch-Site": "same-origin"})

    assert "Content-Encoding" not in answer.headers
    assert "</html>" in answer.text


def test_an_export_is_streamed_as_it_is(browser: Browser) -> None:
    for kind in ("csv", "xlsx"):
        headers = {**TAKES, "Sec-Fetch-Site": "same-origin"}
        answer = browser.client.get(f"/inventory/export.{kind}", headers=headers, buffered=True)

        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers


def test_a_small_answer_is_left_as_it_is(browser: Browser) -> None:
    answer = browser.get("/", headers={**TAKES, "Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 302
    assert "Content-Encoding" not in answer.headers


def test_a_file_of_the_browser_comes_as_gzip_under_an_etag_of_its_own(app: Flask) -> None:
    browser = Browser(app)
    address = next(word for word in browser.get("/login").text.split('"') if word.endswith("tabler.min.css"))
    plain, packed = browser.get(address), browser.client.get(address, headers=TAKES)
    again = browser.client.get(address, headers={**TAKES, "If-None-Match": packed.headers["ETag"]})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 5
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.cache_control.immutable
    assert packed.cache_control.max_age == YEAR_SECONDS
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert (again.status_code, again.data) == (304, b"")
