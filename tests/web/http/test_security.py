"""CSRF, headers, cookies and proxies: on every kind of answer."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request

from inventory_web import Settings
from inventory_web.errors import SettingsRefused
from inventory_web.http.request import MAX_BODY_BYTES
from tests.web.browser import Browser

POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "img-src": "'self' data:",
}


def policy_of(header: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.strip().partition(" ") for part in header.split(";"))}


def asset(app: Flask) -> str:
    found = re.search(r'"(/assets/[^"]+/app\.css)"', Browser(app).get("/login").text)
    assert found
    return found[1]


def test_every_kind_of_answer_carries_the_headers(app: Flask) -> None:
    browser = Browser(app).logged_in("vera")
    answers = {
        "page": browser.get("/account/password"),
        "redirect": browser.get("/"),
        "forbidden": browser.get("/users"),
        "not found": browser.get("/nada"),
        "wrong method": browser.client.delete("/login"),
        "stale form": browser.post("/account/password", token="no"),
        "bad form": browser.post("/account/password", current_password=""),
        "asset": browser.get(asset(app)),
        "health": browser.get("/health"),
        "metrics": browser.client.get("/metrics"),
        "json": browser.get("/nada", headers={"Accept": "application/json"}),
    }
    for kind, answer in answers.items():
        assert policy_of(answer.headers["Content-Security-Policy"]) == POLICY, kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff", kind
        assert answer.headers["X-Frame-Options"] == "DENY", kind
        assert answer.headers["Referrer-Policy"] == "same-origin", kind
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert answer.headers["X-Served-By"], kind
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"]), kind
        if kind != "asset":
            assert answer.headers["Cache-Control"] == "no-store", kind


def test_a_crash_carries_the_headers_too(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.add_url_rule("/crash", view_func=lambda: str(1 // 0))
    answer = Browser(app).logged_in("vera").get("/crash")

    assert answer.status_code == 500
    assert policy_of(answer.headers["Content-Security-Policy"]) == POLICY


def test_no_template_holds_an_inline_script_style_or_handler(app: Flask) -> None:
    browser = Browser(app).logged_in("ada")
    for path in ("/login", "/users", "/account/password", "/nada", "/inventory"):
        page = browser.get(path).text

        assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", page), path


@pytest.mark.parametrize("token", ["", "x", "IjEyMyI.aaaa.bbbb"])
def test_a_change_without_a_token_of_this_session_is_refused_with_a_page(app: Flask, token: str) -> None:
    browser = Browser(app).logged_in("ada")
    answer = browser.post("/users/disable", username="vera", token=token)

    assert answer.status_code == 400
    assert "Vuelva a cargarla y repita la operación." in answer.text
    assert '<html lang="es">' in answer.text
    assert "Desactivado" not in browser.get("/users").text


def test_a_token_of_another_user_or_of_an_ended_session_is_stale(app: Flask) -> None:
    other = Browser(app).logged_in("olga")
    browser = Browser(app).logged_in("ada")
    own = browser.token
    stolen = browser.post("/users/disable", username="vera", token=other.token)
    browser.post("/logout")
    browser.logged_in("ada")
    ended = browser.post("/users/disable", username="vera", token=own)

    assert [stolen.status_code, ended.status_code] == [400, 400]


def test_the_token_may_come_in_the_header_as_htmx_sends_it(app: Flask) -> None:
    browser = Browser(app).logged_in("ada")
    answer = browser.client.post("/users/disable", data={"username": "vera"}, headers={"X-CSRFToken": browser.token})

    assert answer.status_code == 303


def test_every_form_of_the_accounts_carries_a_token(app: Flask) -> None:
    page = Browser(app).logged_in("ada").get("/users").text
    forms = re.findall(r"<form[^>]* method=\"post\".*?</form>", page, flags=re.DOTALL)

    assert len(forms) > 5
    assert all('name="csrf_token"' in form for form in forms)


def test_cookies_are_for_this_site_and_not_for_scripts(app: Flask, lend_app: Callable[..., Flask]) -> None:
    here = Browser(app).get("/login").headers["Set-Cookie"]
    production = Browser(lend_app(env="production")).get("/login").headers["Set-Cookie"]
    plain = Browser(lend_app(env="production", cookie_secure=False)).get("/login").headers["Set-Cookie"]

    assert "HttpOnly" in here
    assert "SameSite=Lax" in here
    assert "Secure" not in here
    assert "Secure" in production
    assert "Secure" not in plain


def test_https_is_demanded_for_a_year_only_where_cookies_demand_it(app: Flask, lend_app: Callable[..., Flask]) -> None:
    assert "Strict-Transport-Security" not in Browser(app).get("/login").headers
    assert "31536000" in Browser(lend_app(env="production")).get("/login").headers["Strict-Transport-Security"]


def test_a_body_that_is_too_large_gets_a_page(app: Flask) -> None:
    browser = Browser(app).logged_in("ada")
    answer = browser.client.post(
        "/users",
        environ_overrides={"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)},
        content_type="multipart/form-data; boundary=x",
    )

    assert answer.status_code == 413
    assert "64 MiB como máximo" in answer.text


def test_forwarded_headers_count_only_from_as_many_proxies_as_configured(lend_app: Callable[..., Flask]) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "stock.example"}
    seen: dict[int, tuple[str | None, str]] = {}
    for proxies in (0, 1):
        app = lend_app(proxies=proxies)
        with app.test_client() as client:
            client.get("/health", headers=forwarded)
            seen[proxies] = (request.remote_addr, request.host_url)

    assert seen == {0: ("127.0.0.1", "http://localhost/"), 1: ("203.0.113.7", "https://stock.example/")}


@pytest.mark.parametrize(("proxies", "kept"), [(0, False), (1, True)])
def test_a_request_id_is_taken_from_a_trusted_proxy_only(
    lend_app: Callable[..., Flask], proxies: int, *, kept: bool
) -> None:
    answer = Browser(lend_app(proxies=proxies)).get("/health", headers={"X-Request-ID": "edge-0001-abcd"})

    assert (answer.headers["X-Request-ID"] == "edge-0001-abcd") is kept


def test_a_request_id_with_anything_odd_in_it_is_replaced(lend_app: Callable[..., Flask]) -> None:
    answer = Browser(lend_app(proxies=1)).get("/health", headers={"X-Request-ID": "<script>alert(1)</script>"})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("settings", "host", "allowed"),
    [
        ({}, "any.example", True),
        ({"hosts": "stock.example"}, "any.example", False),
        ({"env": "production"}, "any.example", False),
        ({"env": "production"}, "localhost:8080", True),
        ({"env": "production"}, "127.0.0.1:8080", True),
        ({"env": "production"}, "[::1]:8080", True),
        ({"env": "production"}, "192.0.2.7", True),
        ({"env": "production"}, "localhost.evil.example", False),
        ({"env": "production"}, "192.0.2.7.evil.example", False),
        ({"env": "production", "hosts": "stock.example"}, "stock.example:8443", True),
        ({"env": "production", "hosts": "stock.example"}, "STOCK.example", True),
        ({"env": "production", "hosts": "stock.example"}, "a.stock.example", False),
        ({"env": "production", "hosts": ".stock.example,other.example"}, "a.stock.example", True),
        ({"env": "production", "hosts": "stock.example"}, "localhost", True),
        ({"env": "production", "hosts": "stock.example"}, "192.0.2.7", False),
        ({"env": "production", "hosts": "stock.example"}, "evil.example@stock.example", False),
        ({"env": "production", "hosts": "stock.example"}, "", False),
        ({"env": "production", "hosts": "stock.example", "proxies": 1}, "stock.example", True),
    ],
)
def test_only_the_hosts_of_the_settings_are_served(
    lend_app: Callable[..., Flask], settings: dict[str, Any], host: str, *, allowed: bool
) -> None:
    client = lend_app(**settings).test_client()
    answer = client.get("/login", headers={"Host": host, "Accept": "application/json"})

    assert answer.status_code == (200 if allowed else 400)
    assert allowed or (answer.json or {})["code"] == "WEB-014"
    assert client.get("/health/ready", headers={"Host": "web1:8000"}).status_code == 200
    assert client.get("/login", headers={"Host": host}).status_code == answer.status_code


@pytest.mark.parametrize("name", ["https://stock.example", "stock.example:443", "stock example", "a/b"])
def test_a_host_that_is_not_a_name_is_refused_in_the_settings(name: str) -> None:
    with pytest.raises(SettingsRefused, match="INVENTORY_HOSTS"):
        Settings.from_environment(hosts=name)
