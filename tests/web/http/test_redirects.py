"""Redirect targets: nothing that a client sends leads out of the application."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from inventory_web.http.urls import current_url, form_url, is_local_url, next_url, previous_page_url, retry_url
from tests.web.browser import Browser

OUTSIDE = [
    "//evil.example/login",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\x00/evil.example",
    "\u2028//evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/x/../..//evil.example",
    "/%2e%2e//evil.example",
    "evil.example",
    " //evil.example",
    "http://[::1",
    "",
]
REDIRECTING = ["/account/language", "/account/theme", "/logout", "/selection/undo", "/work/1/cancel"]


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_another_site_is_not_local(app: Flask, address: str) -> None:
    with app.test_request_context("/inventory", method="POST", data={"next": address}):
        assert not is_local_url(address)
        assert next_url("/safe") == "/safe"


@pytest.mark.parametrize("address", ["/", "/inventory", "/inventory?search=a\\b&x=//y", "/products/A~2FB#p1", "/ñ"])
def test_an_address_of_the_application_is_local(app: Flask, address: str) -> None:
    with app.test_request_context("/inventory"):
        assert is_local_url(address)


@pytest.mark.parametrize("prefix", ["/stock", "/tienda-ñ/a b"])
def test_an_address_below_the_prefix_is_local(app: Flask, prefix: str) -> None:
    with app.test_request_context("/inventory", base_url=f"http://localhost{prefix}"):
        assert is_local_url(app.url_for("products.inventory", search="ñ"))
        assert is_local_url(current_url())
        assert not is_local_url("/inventory")
        assert not is_local_url(f"{prefix}x/inventory")
        assert not is_local_url(f"{prefix}/%2e%2e/inventory")


@pytest.mark.parametrize(
    "referrer",
    [
        "http://localhost//evil.example/login",
        "http://localhost/\\evil.example/login",
        "http://localhost/a/../..//evil.example",
        "http://localhost@evil.example/",
        "http://evil.example/",
        "http://evil.example/inventory",
        "//localhost//evil.example",
        "http://[::1/",
        "http://localhost/x\x01y",
    ],
)
@pytest.mark.parametrize("path", ["/account/language", "/account/theme"])
def test_a_referring_page_leads_nowhere_else(app: Flask, path: str, referrer: str) -> None:
    browser = Browser(app)
    browser.get("/login")
    answer = browser.send(path, {"language": "en", "theme": "dark"}, headers={"Referer": referrer, "Origin": referrer})

    assert (answer.status_code, answer.location) == (303, "/")


@given(st.text(max_size=40), st.sampled_from(["", "/", "//", "/\\", "http://localhost", "http://localhost/", "http:"]))
def test_whatever_a_client_sends_a_redirect_begins_with_one_stroke(text: str, beginning: str) -> None:
    app = Flask("redirects")
    app.add_url_rule("/", "home", lambda: "")
    sent = beginning + text
    with app.test_request_context(
        "/form",
        method="POST",
        data={"next": sent},
        environ_overrides={"HTTP_REFERER": sent.encode("utf-8").decode("latin-1")},
    ):
        for target in (next_url("/"), previous_page_url("/"), form_url("/"), retry_url()):
            assert target.startswith("/")
            assert not target.startswith(("//", "/\\"))
            assert target.isprintable()


@pytest.mark.parametrize("path", REDIRECTING)
@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_no_view_takes_a_target_from_outside(app: Flask, path: str, target: str) -> None:
    browser = Browser(app).let_in("ada")
    fields = {"next": target, "language": "en", "theme": "dark"}
    answer = browser.send(path, fields, headers={"Referer": f"http://localhost{target}"})

    assert "evil" not in answer.headers.get("Location", "")
    assert "evil" not in answer.headers.get("HX-Redirect", "")


@pytest.mark.parametrize(
    "path", ["//evil.example/inventory", "/%5Cevil.example", "//evil.example/%2e%2e", "/login//evil"]
)
def test_an_odd_path_of_a_stranger_leads_to_no_other_site(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)

    assert not answer.headers.get("Location", "/").startswith(("//", "/\\", "http://evil"))
