"""Files for the browser, product codes in addresses, and cursors."""

import re

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from inventory_web.http.assets import YEAR_SECONDS, find_assets
from inventory_web.http.urls import address_of_codes, escape_code, unescape_code
from tests.web.browser import Browser

PRINTABLE = st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable() and text == " ".join(text.split()))


def assets_in(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/assets/[^"#]+)', page)


def test_every_file_that_a_page_names_is_there_and_may_be_kept_for_a_year(app: Flask) -> None:
    browser = Browser(app)
    named = assets_in(browser.get("/login").text)
    for path in named:
        answer = browser.get(path)

        assert answer.status_code == 200, path
        assert answer.cache_control.immutable
        assert answer.cache_control.max_age == YEAR_SECONDS
    assert {path.rpartition("/")[2] for path in named} >= {"app.css", "app.js", "htmx.min.js", "tabler.min.css"}


def test_the_address_changes_with_the_content_and_an_old_one_still_answers(app: Flask) -> None:
    browser = Browser(app)
    name = next(path for path in assets_in(browser.get("/login").text) if path.endswith("app.css"))
    old = browser.get(name.replace(name.split("/")[2], "0" * 16))

    assert old.status_code == 200
    assert old.headers["Cache-Control"] == "no-cache"


def test_only_listed_files_are_served(app: Flask) -> None:
    for name in ("../settings.py", "..%2fsettings.py", "__init__.py", "nothing.css", "%00"):
        assert Browser(app).get(f"/assets/x/{name}").status_code == 404
    assert all(asset.folder.name == "static" for asset in find_assets().values())


@given(PRINTABLE)
def test_any_code_survives_its_way_through_an_address(code: str) -> None:
    segment = escape_code(code)

    assert unescape_code(segment) == code
    assert "/" not in segment
    assert "\\" not in segment
    assert not segment.startswith(".")
    assert segment != "new"


@pytest.mark.parametrize(
    ("code", "segment"),
    [
        ("new", "~6Eew"),
        ("NEW", "NEW"),
        ("a/b", "a~2Fb"),
        ("..", "~2E."),
        ("~", "~7E"),
        ("a\\b", "a~5Cb"),
        ("news", "news"),
    ],
)
def test_what_an_address_cannot_hold_is_escaped(code: str, segment: str) -> None:
    assert escape_code(code) == segment


def test_a_tilde_typed_by_hand_is_a_tilde() -> None:
    assert unescape_code("A~B") == "A~B"
    assert unescape_code("~2f") == "~2f"


@pytest.mark.parametrize(
    "code", ["a/b", "ñ 漢字 %", "new", ".hidden", "..", "~2F", 'q?"<&', "a;b=c", "x#y", "%2F", "+ +"]
)
def test_a_route_passes_the_view_the_code_of_its_url(app: Flask, code: str) -> None:
    endpoint = next(rule.endpoint for rule in app.url_map.iter_rules() if rule.rule == "/products/<code:code>")
    with app.test_request_context():
        address = app.url_for(endpoint, code=code)
    answer = Browser(app).let_in("vera").get(address)

    assert answer.status_code == 404
    assert f"No hay ningún producto con el código «{escape(code)}»" in answer.text


@pytest.mark.parametrize("root", ["", "/any-code"])
@pytest.mark.parametrize("code", ["A-1", "new", "any-code", "a b/c", "~2F", "100 %", "Ñ?&#", ".."])
def test_the_addresses_of_a_page_full_of_codes_are_those_of_each_code(app: Flask, code: str, root: str) -> None:
    with app.test_request_context("/inventory", base_url=f"http://localhost{root}"):
        for endpoint in ("products.details", "counting.change"):
            assert address_of_codes(endpoint)(code) == app.url_for(endpoint, code=code)


def test_a_file_of_the_browser_brings_no_cookie_so_that_a_cache_may_keep_it(app: Flask) -> None:
    browser = Browser(app).let_in("olga")
    page = browser.get("/inventory")
    address = next(word for word in page.text.split('"') if word.startswith("/assets/"))

    assert "Set-Cookie" in page.headers
    assert "Set-Cookie" not in browser.get(address).headers
