"""While there is no source: every form says why it waits, and what is sent anyway is kept."""

import re

import pytest

from tests.web.blueprints.site import Site, form_in
from tests.web.read_only import source_is_away

SENTENCE = "Espere: ahora no se puede guardar. Lo que escriba no se pierde."
OURS = {"Sec-Fetch-Site": "same-origin"}


def test_the_notice_says_what_is_away_and_forms_say_why_they_wait(site: Site) -> None:
    site.create_product("A")
    with source_is_away():
        page = site.operator.get("/products/A/edit").text

    assert re.search(r'<div id="read-only" [^>]*data-ask="/health"', page)
    assert "Solo lectura" in page
    assert f'<p class="form-waits without-script">{SENTENCE}</p>' in page
    assert "/read-only.js" in page


@pytest.mark.parametrize(
    ("address", "action"),
    [
        ("/products/new", ""),
        ("/products/A", "/products/A/retire"),
        ("/imports/new", "/imports/new"),
        ("/locations", "/locations"),
        ("/exports/new", "/exports"),
        ("/views", "/views"),
        ("/account/password", "/account/password"),
    ],
)
def test_every_form_that_saves_something_reports_that_it_waits(site: Site, address: str, action: str) -> None:
    site.create_product("A")
    with source_is_away():
        page = site.operator.get(address).text
    content = page.split('id="content"')[1]
    form = next(form for form in re.findall(r"<form.*?</form>", content, re.DOTALL) if action in form.split(">")[0])

    assert f'<p class="form-waits without-script">{SENTENCE}</p></form>' in form
    assert held(form)


def test_a_quantity_in_the_list_refers_to_the_notice(site: Site) -> None:
    site.create_product("A")
    with source_is_away():
        page = site.operator.get("/inventory").text
    form = next(re.finditer(r'<form class="qty".*?</form>', page, re.DOTALL))[0]

    assert held(form)
    assert SENTENCE not in form


def test_forms_that_only_ask_can_be_used(site: Site) -> None:
    site.create_product("A")
    with source_is_away():
        labels, found = site.operator.get("/labels?code=A").text, site.operator.get("/movements").text

    assert "form-waits" not in labels
    assert 'aria-disabled="true"' not in labels
    assert 'aria-disabled="true"' not in found


def held(form: str) -> bool:
    """Whether every button that sends the form says that it waits, and why."""
    buttons = [button for button in re.findall(r"<button[^>]*>", form) if 'type="button"' not in button]
    return bool(buttons) and all('aria-disabled="true" aria-describedby="read-only"' in button for button in buttons)


def test_nothing_of_it_is_there_while_all_is_well(site: Site) -> None:
    site.create_product("A")

    page = site.operator.get("/products/A/edit").text

    assert "form-waits" not in page
    assert "read-only" not in page


def test_what_is_sent_anyway_is_answered_with_what_was_typed(site: Site) -> None:
    form = form_in(site.operator.get("/products/new").text, "")
    typed = form | {"code": "N-1", "name": "Mesa «grande» <b>", "description": "\nuna\nmesa", "quantity": "3"}
    with source_is_away():
        refused = site.operator.post("/products/new", typed, headers=OURS)
    kept = form_in(refused.text, "/products/new")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "Lo que había escrito" in refused.text
    assert "Mesa «grande» &lt;b&gt;" in refused.text
    assert {name: kept[name].removeprefix("\n") for name in ("code", "name", "quantity", "operation")} == {
        name: typed[name] for name in ("code", "name", "quantity", "operation")
    }

    assert site.operator.post("/products/new", kept).status_code == 303
    assert site.quantity("N-1") == 3
    assert site.operator.post("/products/new", kept).status_code == 303
    assert site.quantity("N-1") == 3


def test_a_form_of_another_site_is_not_shown_to_be_sent_again(site: Site) -> None:
    with source_is_away():
        refused = site.operator.post(
            "/products/new", {"code": "N-1", "name": "Mesa"}, headers={"Sec-Fetch-Site": "cross-site"}
        )

    assert refused.status_code == 503
    assert "Lo que había escrito" not in refused.text


def test_htmx_gets_the_notice_and_keeps_the_form(site: Site) -> None:
    site.create_product("A", quantity=5)
    with source_is_away():
        refused = site.operator.post(
            "/products/A/quantity", {"quantity": "7", "expected": "5"}, htmx=True, headers=OURS
        )

    assert (refused.status_code, refused.headers["HX-Retarget"]) == (503, "#notices")
    assert site.quantity("A") == 5
