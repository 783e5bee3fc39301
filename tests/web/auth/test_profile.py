"""One's own page: who one is, how pages look on every device, and where one is logged in."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select
from sqlmodel import col

from inventory_core import Inventory, SingleDatabase
from inventory_web.db.models import UserSession
from inventory_web.i18n.labels import device_label
from tests.web.browser import Browser

PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
SESSION = re.compile(r'name="session" value="([^"]+)"')


def others_of(browser: Browser) -> list[str]:
    return SESSION.findall(browser.get("/account").text)


def test_the_profile_says_who_one_is(app: Flask) -> None:
    page = Browser(app).logged_in("olga").get("/account").text

    assert re.search(r"<dt>Usuario</dt><dd>olga</dd>", page)
    assert re.search(r"<dt>Rol</dt><dd>Operador</dd>", page)


def test_a_theme_is_kept_with_the_account_for_every_browser(app: Flask) -> None:
    first = Browser(app).logged_in("vera")
    first.post("/account/theme", theme="dark")
    second, other = Browser(app).logged_in("vera"), Browser(app).logged_in("olga")

    assert 'data-bs-theme="dark"' in second.get("/inventory").text
    assert "data-bs-theme" not in other.get("/inventory").text
    second.post("/account/theme", theme="system")
    assert "data-bs-theme" not in first.get("/inventory").text


def test_sessions_show_their_device_and_this_one_is_marked(app: Flask) -> None:
    here = Browser(app, agent=DESK).logged_in("vera")
    Browser(app, agent=PHONE, address="198.51.100.7").logged_in("vera")
    Browser(app).logged_in("olga")
    items = re.findall(r"<li class=\"list-group-item account-line\">.*?</li>", here.get("/account").text, re.DOTALL)

    assert len(items) == 2
    assert "Firefox en Windows" in items[0]
    assert "Esta sesión" in items[0]
    assert "Chrome en Android" in items[1]
    assert "198.51.100.7" in items[1]
    assert "Esta sesión" not in items[1]


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (PHONE, "Chrome en Android"),
        (DESK, "Firefox en Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari en iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge en Mac"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/142.0 Safari/537.36", "Chrome en ChromeOS"),
        ("curl/8.5.0", "curl"),
        ("", "Navegador desconocido"),
        ("<script>alert(1)</script>", "Navegador desconocido"),
    ],
)
def test_a_device_is_named_in_plain_words(app: Flask, agent: str, said: str) -> None:
    with app.test_request_context():
        assert device_label(agent) == said


def test_what_a_browser_calls_itself_is_stored_shortened(app: Flask, inventory: Inventory) -> None:
    Browser(app, agent=DESK + "x" * 9000).logged_in("vera")
    with inventory.sessions.reader() as session:
        stored = session.scalars(select(col(UserSession.agent))).one()

    assert len(stored) == 200


def test_a_session_that_is_ended_is_ended_on_every_instance_at_once(lend_app: Callable[..., Flask]) -> None:
    one, two = lend_app(instance="web1"), lend_app(instance="web2")
    here, there = Browser(one).logged_in("vera"), Browser(two).logged_in("vera")
    (other,) = others_of(here)

    assert here.post("/account/sessions/end", session=other).location == "/account"
    assert there.get("/inventory").status_code == 302
    assert here.get("/inventory").status_code == 200
    assert others_of(here) == []


def test_all_other_sessions_of_the_user_are_ended_and_those_of_others_stay(app: Flask) -> None:
    here, olga = Browser(app).logged_in("vera"), Browser(app).logged_in("olga")
    others = [Browser(app).logged_in("vera") for _ in range(2)]
    here.get("/account")
    here.post("/account/sessions/end-others")

    assert "Se han cerrado 2 sesiones." in here.get("/account").text
    assert [browser.get("/inventory").status_code for browser in others] == [302, 302]
    assert olga.get("/inventory").status_code == 200


def test_a_user_cannot_end_sessions_of_others_or_the_present_one(app: Flask) -> None:
    vera, olga = Browser(app).logged_in("vera"), Browser(app).logged_in("olga")
    Browser(app).logged_in("vera")
    (of_vera,) = others_of(vera)
    olga.post("/account/sessions/end", session=of_vera)
    assert others_of(vera) == [of_vera]

    with vera.client.session_transaction() as cookie:
        assert cookie["token"] not in vera.get("/account").text
    assert vera.get("/inventory").status_code == 200


def test_being_seen_is_noted_every_five_minutes_at_most(app: Flask, sessions: SingleDatabase) -> None:
    written: list[str] = []
    with time_machine.travel(0, tick=False) as clock:
        browser = Browser(app).logged_in("vera")
        event.listen(sessions.engine, "before_cursor_execute", lambda *call: written.append(call[2]))
        for _ in range(10):
            clock.shift(timedelta(minutes=1))
            browser.get("/inventory")

    updates = [statement for statement in written if statement.startswith("UPDATE inventory_web_user_session")]
    assert 1 <= len(updates) <= 2
    with sessions.reader() as session:
        assert session.scalar(select(func.count()).select_from(UserSession)) == 1
