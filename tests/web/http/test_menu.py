"""The menu: daily tasks in the bar, the rest under "Más"."""

import re

from flask import Flask

from tests.web.browser import Browser


def menu_of(app: Flask, name: str, address: str) -> tuple[list[str], list[str]]:
    """The addresses of the daily lines, and of those under "Más" that every window has there."""
    page = Browser(app).let_in(name).get(address).text
    menu = page.split('aria-label="Menú principal"')[1].split("</nav>")[0]
    daily, *further = menu.split("<details")
    below = re.findall(r'<li(| class="app-again")><a class="[^"]*" href="([^"]+)"', "".join(further))
    return re.findall(r'<a class="[^"]*" href="([^"]+)"', daily), [address for again, address in below if not again]


def test_what_is_not_daily_work_is_under_more(app: Flask) -> None:
    daily, further = menu_of(app, "ada", "/account/password")

    assert {"/inventory", "/low-stock", "/movements"} <= set(daily)
    assert {"/imports/new", "/locations", "/users"} <= set(further)
    assert not set(daily) & set(further)


def test_lines_under_more_are_for_those_who_may_open_them(app: Flask) -> None:
    _, further = menu_of(app, "vera", "/account/password")

    assert not {"/imports/new", "/users"} & set(further)


def test_the_menu_says_where_one_is_also_under_more(app: Flask) -> None:
    visitor = Browser(app).let_in("ada")

    assert 'href="/locations" aria-current="page"' in visitor.get("/locations").text
    assert '<summary class="nav-link active">' in visitor.get("/locations").text
    assert 'href="/movements" aria-current="page"' in visitor.get("/movements").text
    assert '<summary class="nav-link active">' not in visitor.get("/movements").text


def test_a_window_without_room_has_the_daily_lines_below_as_well(app: Flask) -> None:
    page = Browser(app).let_in("vera").get("/inventory").text
    daily, _ = menu_of(app, "vera", "/inventory")
    again = re.findall(r'<li class="app-again"><a class="[^"]*" href="([^"]+)"', page)

    assert again == daily


def test_an_address_that_leads_nowhere_still_has_the_menu_of_who_is_logged_in(app: Flask) -> None:
    visitor = Browser(app).let_in("vera").get("/nowhere")

    assert visitor.status_code == 404
    assert 'href="/movements"' in visitor.text
    assert 'aria-label="Menú principal"' not in Browser(app).get("/nowhere").text
