"""Whose word counts for the language of a page: the account's, the browser's, the setting's."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update
from sqlmodel import col

from inventory_core import Inventory
from inventory_web.db.models import User
from inventory_web.http.preferences import LANGUAGE_COOKIE
from inventory_web.i18n.labels import format_number
from tests.web.browser import Browser

SPEAKS_ENGLISH = {"Accept-Language": "en-GB,en;q=0.9,es;q=0.8"}
SPEAKS_FRENCH = {"Accept-Language": "fr,de;q=0.5"}
SPEAKS_SPANISH = {"Accept-Language": "es-ES"}


def language_of(browser: Browser, path: str = "/login", **headers: str) -> str:
    found = re.search(r'<html lang="(\w+)">', browser.get(path, headers=headers).text)
    assert found
    return found[1]


def test_an_anonymous_page_has_the_language_of_the_browser(app: Flask) -> None:
    page = Browser(app).get("/login", headers=SPEAKS_ENGLISH).text

    assert '<html lang="en">' in page
    assert "Log in" in page
    assert "Entrar" not in page


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_browser_that_requests_nothing_of_ours_gets_the_language_of_the_settings(
    lend_app: Callable[..., Flask], language: str
) -> None:
    browser = Browser(lend_app(language=language))

    assert language_of(browser) == language
    assert language_of(browser, **SPEAKS_FRENCH) == language
    assert language_of(browser, **{"Accept-Language": "*"}) == language
    assert language_of(browser, **{"Accept-Language": "en;q=0.1, %%%, es"}) == "es"


def test_a_choice_before_the_login_stays_through_it(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/login")
    answer = browser.post("/account/language", language="en")
    before = language_of(browser, **SPEAKS_SPANISH)
    browser.logged_in("vera")

    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert before == language_of(browser, "/inventory") == "en"


def test_a_choice_is_kept_with_the_account_for_every_browser(app: Flask) -> None:
    first = Browser(app).let_in("vera")
    first.post("/account/language", language="en")
    second, other = Browser(app).let_in("vera"), Browser(app).let_in("olga")

    assert language_of(second, "/inventory", **SPEAKS_SPANISH) == "en"
    assert language_of(other, "/inventory") == "es"
    second.post("/account/language", language="es")
    assert language_of(first, "/inventory") == "es"


def test_the_choice_leads_back_to_the_page_it_was_made_on(app: Flask) -> None:
    browser = Browser(app).let_in("olga")
    sent = {"csrf_token": browser.token, "language": "en"}

    def back_from(page: str) -> str | None:
        return browser.client.post(
            "/account/language", data=sent, headers={"Referer": f"http://localhost{page}"}
        ).location

    assert back_from("/inventory?search=lamp") == "/inventory?search=lamp"
    assert back_from("/products/A-1/movements") == "/"
    assert (
        browser.client.post("/account/language", data=sent, headers={"Referer": "http://elsewhere.test/x"}).location
        == "/"
    )


def test_a_language_that_is_not_ours_is_refused_and_changes_nothing(app: Flask) -> None:
    browser = Browser(app).let_in("vera")
    refused = [browser.post("/account/language", language=language) for language in ("fr", "", "../en", "EN")]

    assert [answer.status_code for answer in refused] == [422] * 4
    assert all(LANGUAGE_COOKIE not in str(answer.headers.getlist("Set-Cookie")) for answer in refused)
    assert "Idioma" in refused[0].text
    assert language_of(browser, "/inventory") == "es"


def test_a_choice_without_the_token_of_a_form_is_refused(app: Flask) -> None:
    assert Browser(app).post("/account/language", language="en", token="").status_code == 400


def test_a_stored_language_that_is_not_ours_is_passed_over(app: Flask, inventory: Inventory) -> None:
    browser = Browser(app).let_in("vera")
    browser.client.set_cookie(LANGUAGE_COOKIE, "tlh")
    statement = update(User).where(col(User.name) == "vera").values(language="xx")
    inventory.sessions.write(lambda session: session.execute(statement).close())

    assert language_of(browser, "/inventory", **SPEAKS_ENGLISH) == "en"


def test_the_menu_offers_the_other_language_by_its_own_name(app: Flask) -> None:
    spanish = Browser(app).get("/login").text
    english = Browser(app).get("/login", headers=SPEAKS_ENGLISH).text

    assert re.search(r'<button[^>]* value="en" lang="en">English</button>', spanish)
    assert re.search(r'<button[^>]* value="es" lang="es">Español</button>', english)


@pytest.mark.parametrize(
    ("requested", "written", "day"),
    [
        ("es-ES", "1.234.567", "3 abr 2026, 14:05"),
        ("es-MX", "1,234,567", "3 abr 2026, 2:05\N{NARROW NO-BREAK SPACE}p.m."),
        ("es-XX", "1.234.567", "3 abr 2026, 14:05"),
        ("en-GB", "1,234,567", "3 Apr 2026, 14:05"),
        ("en-US", "1,234,567", "Apr 3, 2026, 2:05\N{NARROW NO-BREAK SPACE}PM"),
    ],
)
def test_numbers_and_times_follow_the_region_that_the_browser_names(
    app: Flask, requested: str, written: str, day: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": requested}):
        shown = app.jinja_env.filters["when"](datetime(2026, 4, 3, 14, 5, tzinfo=UTC))

        assert format_number(1_234_567) == written
        assert shown == f'<time datetime="2026-04-03T14:05:00+00:00">{day}</time>'


def test_every_page_says_in_which_zone_its_times_are(lend_app: Callable[..., Flask]) -> None:
    assert "Horas en UTC" in Browser(lend_app()).get("/login").text
    assert "Times in Europe/Madrid" in Browser(lend_app(language="en", timezone="Europe/Madrid")).get("/login").text
