"""Themes: the choice of the browser is in the first byte of the page, so nothing flashes and no script is needed."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from inventory_web.http.preferences import THEME_COOKIE
from tests.web.browser import Browser

CHOSEN = re.compile(r'name="theme" value="(\w+)" aria-pressed="true"')


def theme_of(browser: Browser, path: str = "/login") -> tuple[str, str, str]:
    """The attribute of the page, the scheme that the browser draws before any style sheet, and the pressed button."""
    page = browser.get(path).text
    html, scheme = re.search(r"<html[^>]*>", page), re.search(r'name="color-scheme" content="([^"]+)"', page)
    attribute = re.search(r'data-bs-theme="(\w+)"', html[0]) if html else None
    assert scheme
    return attribute[1] if attribute else "", scheme[1], ",".join(CHOSEN.findall(page))


def test_without_a_choice_the_page_follows_the_system(app: Flask) -> None:
    assert theme_of(Browser(app)) == ("", "light dark", "system")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_choice_before_the_login_stays_through_it_and_can_be_taken_back(app: Flask, theme: str) -> None:
    browser = Browser(app)
    browser.get("/login")
    answer = browser.post("/account/theme", theme=theme)
    before = theme_of(browser)
    browser.logged_in("vera")

    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert before == theme_of(browser, "/inventory") == theme_of(browser, "/nowhere") == (theme, theme, theme)
    browser.post("/account/theme", theme="system")
    assert theme_of(browser, "/inventory") == ("", "light dark", "system")


@pytest.mark.parametrize("reported", ["", "black", "DARK", '"><script>', "light dark"])
def test_a_cookie_with_a_theme_that_is_not_ours_is_passed_over(app: Flask, reported: str) -> None:
    browser = Browser(app)
    browser.client.set_cookie(THEME_COOKIE, reported)

    assert theme_of(browser) == ("", "light dark", "system")


def test_a_theme_that_is_not_ours_is_refused_and_changes_nothing(app: Flask) -> None:
    browser = Browser(app).let_in("vera")
    refused = [browser.post("/account/theme", theme=theme) for theme in ("black", "", "DARK")]

    assert [answer.status_code for answer in refused] == [422] * 3
    assert all(THEME_COOKIE not in str(answer.headers.getlist("Set-Cookie")) for answer in refused)
    assert "Tema" in refused[0].text


def test_a_choice_leads_back_to_the_page_and_needs_the_token_of_a_form(app: Flask) -> None:
    browser = Browser(app).let_in("olga")
    sent = {"csrf_token": browser.token, "theme": "dark"}
    came_from = {"Referer": "http://localhost/inventory?search=lamp"}

    assert browser.client.post("/account/theme", data=sent, headers=came_from).location == "/inventory?search=lamp"
    assert browser.post("/account/theme", theme="dark", token="").status_code == 400


def test_the_cookie_is_for_https_alone_where_the_others_are(lend_app: Callable[..., Flask]) -> None:
    browser = Browser(lend_app(env="production", proxies=1))
    browser.get("/login", base_url="https://localhost")
    answer = browser.client.post(
        "/account/theme",
        data={"csrf_token": browser.token, "theme": "dark"},
        base_url="https://localhost",
        headers={"Referer": "https://localhost/login"},
    )

    assert answer.status_code == 303
    assert ["Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie") if THEME_COOKIE in cookie] == [True]
