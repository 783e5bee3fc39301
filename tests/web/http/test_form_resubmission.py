"""A session that ends in the middle of a form: nothing typed is lost, and nothing is carried out unseen."""

import io
import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlmodel import col

from inventory_core import Inventory
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.queries.products import count_products
from inventory_web.db.models import User, UserSession
from inventory_web.http import forms
from tests.web.browser import PASSWORD, Browser

OURS = {"Origin": "http://localhost", "Referer": "http://localhost/products/new"}
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
COUNTED = {"quantity": "7", "expected": "5"}
TYPED = {
    "operation": "once-only",
    "code": "L-1",
    "name": "Lámpara «ñ» 😀",
    "description": '\nuna\n"dos" & <tres>',
    "quantity": "5",
}


def end_every_session(inventory: Inventory) -> None:
    inventory.sessions.write(lambda session: session.execute(delete(UserSession)).close())


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def fields_of(page: str) -> dict[str, str]:
    return {
        name: unescape(value).removeprefix("\n") if value.startswith("\n") else unescape(value)
        for name, value in re.findall(r'<textarea class="d-none" name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    }


@pytest.fixture
def olga(app: Flask, inventory: Inventory) -> Browser:
    browser = Browser(app).let_in("olga")
    end_every_session(inventory)
    return browser


def user_id(name: str, inventory: Inventory) -> int:
    with inventory.sessions.reader() as session:
        return session.scalars(select(col(User.id)).where(col(User.name) == name)).one() or 0


def number_of(inventory: Inventory) -> int:
    return count_products(inventory, ProductFilter()).number


def log_in_with(browser: Browser, page: str, **more: str) -> str:
    kept = hidden(page, "kept")
    browser.token = hidden(page, "csrf_token")
    answer = browser.post("/login", username="olga", password=PASSWORD, kept=kept, **more)
    assert (answer.status_code, answer.location) == (303, "/account/resume")
    return browser.get("/account/resume").text


def test_what_was_typed_comes_back_after_the_login_and_can_be_sent_once(olga: Browser, inventory: Inventory) -> None:
    refused = olga.send("/products/new", TYPED, headers=OURS)
    assert refused.status_code == 401
    assert "lo que escribió no se pierde" in refused.text

    page = log_in_with(olga, refused.text)
    again = fields_of(page)

    assert number_of(inventory) == 0
    assert again == TYPED
    assert "Lámpara «ñ» 😀" in re.sub("<textarea.*?</textarea>", "", page)
    assert 'action="/products/new"' in page
    assert 'href="/products/new"' in page
    answers = [olga.send("/products/new", again) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert number_of(inventory) == 1


def test_a_wrong_password_on_the_way_loses_nothing(olga: Browser) -> None:
    page = olga.send("/products/new", TYPED, headers=OURS).text
    olga.token = hidden(page, "csrf_token")
    wrong = olga.post("/login", username="olga", password="no", kept=hidden(page, "kept"))

    assert wrong.status_code == 422
    assert fields_of(log_in_with(olga, wrong.text)) == TYPED


def test_what_was_typed_can_be_discarded(olga: Browser) -> None:
    log_in_with(olga, olga.send("/products/new", TYPED, headers=OURS).text)
    olga.post("/account/resume/discard")

    assert olga.get("/account/resume").location == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Referer": "https://evil.example/localhost"},
    ],
)
def test_a_form_of_another_site_gets_nowhere_by_way_of_the_login(
    olga: Browser, app: Flask, headers: dict[str, str]
) -> None:
    answer = olga.send("/products/new", TYPED, headers=headers)
    stale = Browser(app).let_in("olga").send("/products/new", TYPED, token="no", headers=headers)

    assert (answer.status_code, answer.location) == (303, "/login")
    assert stale.status_code == 400
    assert "Lámpara" not in stale.text


def test_what_the_login_carries_is_signed(olga: Browser, app: Flask) -> None:
    page = olga.send("/products/new", TYPED, headers=OURS).text
    changed = hidden(page, "kept").replace("a", "b", 1)
    olga.token = hidden(page, "csrf_token")

    assert olga.post("/login", username="olga", password=PASSWORD, kept=changed).location == "/"
    with app.test_request_context():
        assert forms.unpack(changed, user_id=1) is None


def test_a_form_is_not_shown_to_another_person_who_logs_in(olga: Browser) -> None:
    page = olga.send("/products/new", TYPED, headers=OURS).text
    olga.token = hidden(page, "csrf_token")
    entered = olga.post("/login", username="vera", password=PASSWORD, kept=hidden(page, "kept"))
    shown = olga.get(entered.location)

    assert (entered.status_code, entered.location) == (303, "/")
    assert olga.get("/account/resume").location == "/"
    assert "era de otra persona" in olga.get(shown.location).text


def test_a_form_that_is_sent_after_the_logout_in_another_tab_is_kept(app: Flask) -> None:
    browser = Browser(app).let_in("olga")
    browser.post("/logout")
    page = browser.send("/products/new", TYPED, headers=OURS).text

    assert fields_of(log_in_with(browser, page)) == TYPED


def test_a_form_of_an_unknown_user_is_not_kept(app: Flask) -> None:
    answer = Browser(app).send("/products/new", TYPED, headers=OURS)

    assert answer.status_code == 401
    assert 'name="kept"' not in answer.text


def test_a_password_is_never_carried_and_the_rest_is_shown_to_be_typed_again(app: Flask, inventory: Inventory) -> None:
    ada = Browser(app).let_in("ada")
    end_every_session(inventory)
    headers = OURS | {"Referer": "http://localhost/users"}
    refused = ada.send("/users", {"username": "Íñigo", "role": "viewer", "password": "muy secreta 7"}, headers=headers)
    with app.test_request_context():
        form = forms.unpack(hidden(refused.text, "kept"), user_id=user_id("ada", inventory))

    assert form is not None
    assert dict(form.fields) == {"username": "Íñigo", "role": "viewer"}
    assert not form.complete
    ada.token = hidden(refused.text, "csrf_token")
    ada.post("/login", username="ada", password=PASSWORD, kept=hidden(refused.text, "kept"))
    page = ada.get("/account/resume").text
    assert "Íñigo" in page
    assert "Enviar ahora" not in page
    assert 'href="/users"' in page


def test_a_form_that_belongs_to_an_earlier_session_is_shown_to_be_sent_again(app: Flask, inventory: Inventory) -> None:
    browser = Browser(app).let_in("olga")
    old = browser.token
    browser.post("/logout")
    browser.logged_in("olga")
    refused = browser.send("/products/new", TYPED, token=old, headers=OURS)

    assert refused.status_code == 400
    assert fields_of(refused.text) == TYPED
    browser.token = hidden(refused.text, "csrf_token")
    assert browser.send("/products/new", fields_of(refused.text)).status_code == 303
    assert number_of(inventory) == 1


def test_an_expired_login_page_is_shown_again_with_the_name(app: Flask) -> None:
    answer = Browser(app).post("/login", token="old", username="olga", password=PASSWORD)

    assert answer.status_code == 400
    assert 'value="olga"' in answer.text
    assert PASSWORD not in answer.text


def test_htmx_leaves_the_page_as_it_is_and_gets_the_token_of_the_next_session(olga: Browser) -> None:
    ended = olga.send("/products/L-1/quantity", COUNTED, headers=OURS | PARTIAL)
    old = olga.token
    olga.logged_in("olga")
    stale = olga.send("/products/L-1/quantity", COUNTED, token=old, headers=OURS | PARTIAL)

    assert (ended.status_code, ended.headers["HX-Retarget"]) == (401, "#notices")
    assert "HX-Redirect" not in ended.headers
    assert (stale.status_code, stale.headers["HX-Retarget"]) == (400, "#notices")
    token = re.search(r'"token": "([^"]+)"', stale.headers["HX-Trigger"])
    assert token
    assert olga.post("/products/L-1/quantity", token=token[1], quantity="7").status_code == 404


def test_a_form_that_is_too_long_to_be_carried_leads_to_the_login_alone(olga: Browser) -> None:
    answer = olga.send("/products/new", {"description": "x" * (forms.MAX_FORM_BYTES + 1)}, headers=OURS)

    assert answer.status_code == 401
    assert "no se ha guardado nada" in answer.text
    assert 'name="kept"' not in answer.text


def test_a_file_alone_is_reported_as_not_taken_and_the_login_leads_back_to_its_page(olga: Browser) -> None:
    sent = {"csrf_token": olga.token, "file": (io.BytesIO(b"code\nA\n"), "a.csv")}
    refused = olga.client.post("/imports/new", data=sent, headers=OURS | {"Referer": "http://localhost/imports/new"})
    olga.token = hidden(refused.text, "csrf_token")
    entered = olga.post("/login", username="olga", password=PASSWORD, next=hidden(refused.text, "next"))

    assert refused.status_code == 401
    assert "Su sesión ha terminado y no se ha guardado nada" in refused.text
    assert (entered.status_code, entered.location) == (303, "/imports/new")


def test_to_leave_after_the_end_of_the_session_is_to_have_left(olga: Browser) -> None:
    answer = olga.send("/logout", {}, headers=OURS)

    assert (answer.status_code, answer.location) == (303, "/login")
