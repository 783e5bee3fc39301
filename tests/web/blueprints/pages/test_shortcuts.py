"""The keys, as a page and as the dialog of every page."""

from flask import Flask

from tests.web.browser import Browser


def test_every_page_of_a_user_leads_to_the_list_of_the_keys(app: Flask) -> None:
    browser = Browser(app)
    assert "/shortcuts" not in browser.get("/login").text
    browser.logged_in("vera")

    assert 'href="/shortcuts"' in browser.get("/inventory").text
    assert "Ir a la búsqueda" in browser.get("/shortcuts").text


def test_every_page_of_a_user_has_the_dialog_of_the_shortcuts(app: Flask) -> None:
    browser = Browser(app)
    assert "<dialog" not in browser.get("/login").text

    page = browser.let_in("vera").get("/locations").text
    assert page.split("<dialog")[1].count("Ir a la búsqueda") == 1


def test_only_who_may_change_something_reads_of_the_keys_for_it(app: Flask) -> None:
    viewer, operator = (Browser(app).let_in(name) for name in ("vera", "olga"))
    for_changes = ("Sumar o restar 1", "Registrar un producto", "data-new")

    assert all(text in operator.get("/shortcuts").text for text in for_changes)
    assert not any(text in viewer.get("/shortcuts").text for text in for_changes)
