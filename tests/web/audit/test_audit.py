"""What is written down about accounts, logins and data, and how an administrator reads it."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from inventory_core import Cursor, Inventory, SingleDatabase
from inventory_core.testing import create_product
from inventory_web.audit.log import Author, Event, add_event, log_event
from inventory_web.audit.views import EventFilter, EventRow, event_label, events_page, prune_events
from inventory_web.auth import users
from inventory_web.db.models import AuditEvent
from inventory_web.errors import AccountRefused
from tests.web.browser import PASSWORD, Browser

EVERYTHING = EventFilter()


def reported(inventory: Inventory, wanted: EventFilter = EVERYTHING) -> Sequence[EventRow]:
    return events_page(inventory, wanted, size=500).rows


def words(rows: Sequence[EventRow]) -> list[tuple[str, str, str]]:
    """Event, actor and subject, the earliest first; without the accounts that the fixture made."""
    return [(row.event, row.actor, row.subject) for row in reversed(rows) if row.event != Event.ACCOUNT_ADDED]


def tell_at(inventory: Inventory, at: datetime, event: str) -> None:
    inventory.sessions.write(lambda session: add_event(session, at, event, by=Author("eva")))


def test_logins_and_what_fails_are_reported_and_never_a_password(app: Flask, inventory: Inventory) -> None:
    Browser(app).log_in("ada", "no es esta")
    Browser(app).log_in("x" * 300, PASSWORD)
    browser = Browser(app, address="198.51.100.7").logged_in("ada")
    browser.post("/logout")
    rows = reported(inventory)

    assert words(rows) == [
        ("login_failed", "", "ada"),
        ("login_failed", "", "x" * 40),
        ("login", "ada", "ada"),
        ("logout", "ada", "ada"),
    ]
    assert rows[0].address == "198.51.100.7"
    assert re.fullmatch("[0-9a-f]{32}", rows[0].request_id)
    with inventory.sessions.reader() as session:
        stored = str([row.model_dump() for row in session.scalars(select(AuditEvent))])
    assert PASSWORD not in stored
    assert "no es esta" not in stored


def test_a_window_of_attempts_that_is_full_is_reported_once(app: Flask, inventory: Inventory) -> None:
    statuses = [Browser(app).log_in("ada", "no es esta").status_code for _ in range(9)]

    assert statuses == [422] * 5 + [429] * 4
    assert [event for event, _, _ in words(reported(inventory))] == ["login_failed"] * 5 + ["login_throttled"]


def test_everything_that_is_done_to_an_account_is_reported_with_who_did_it(app: Flask, inventory: Inventory) -> None:
    vera = Browser(app).logged_in("vera")
    admin = Browser(app).logged_in("ada")
    admin.post("/users", username="eva", role="viewer", password="mesa y silla 7")
    admin.post("/users/role", username="eva", role="operator")
    admin.post("/users/disable", username="eva")
    admin.post("/users/disable", username="eva")
    admin.post("/users/enable", username="eva")
    admin.post("/users/password", username="eva", new_password="mesa y silla 8")
    admin.post("/users/sessions/end", username="vera")
    assert vera.get("/inventory").status_code == 302
    vera.logged_in("vera")
    new = "muy distinta 1"
    vera.post("/account/password", current_password=PASSWORD, new_password=new, repeated_password=new)
    by_ada = [(row.event, row.subject) for row in reversed(reported(inventory)) if row.actor == "ada"]

    assert by_ada == [
        ("login", "ada"),
        ("account_added", "eva"),
        ("role_changed", "eva"),
        ("account_disabled", "eva"),
        ("account_enabled", "eva"),
        ("password_reset", "eva"),
        ("session_ended", "vera"),
    ]
    changed = reported(inventory, EventFilter(event=Event.ROLE_CHANGED))[0]
    assert changed.details == {"before": "viewer", "after": "operator"}
    assert words(reported(inventory))[-1] == ("password_changed", "vera", "vera")


def test_what_is_refused_is_not_reported_as_done(inventory: Inventory) -> None:
    users.disable_account(inventory, name="admin")
    before = words(reported(inventory))
    with pytest.raises(AccountRefused):
        users.disable_account(inventory, name="ada", by=Author("ada"))

    assert words(reported(inventory)) == before


def test_a_door_that_is_tried_again_and_again_is_reported_once_a_minute(app: Flask, inventory: Inventory) -> None:
    with time_machine.travel("2026-04-03T12:00:00+00:00", tick=False) as clock:
        vera = Browser(app).logged_in("vera")
        for _ in range(5):
            assert vera.get("/users").status_code == 403
        clock.shift(timedelta(minutes=2))
        vera.post("/users/disable", username="ada")
    rows = reported(inventory, EventFilter(event=Event.ROLE_REFUSED))

    assert [(row.actor, row.details["page"], row.details["role"]) for row in rows] == [
        ("vera", "POST /users/disable", "admin"),
        ("vera", "GET /users", "admin"),
    ]


def test_strangers_cannot_fill_the_audit_by_forms_and_metrics_that_are_refused(
    lend_app: Callable[..., Flask], inventory: Inventory
) -> None:
    app = lend_app(metrics_allow=("10.0.0.0/8",))
    with time_machine.travel("2026-04-03T12:00:00+00:00", tick=False) as clock:
        for number in range(20):
            stranger = Browser(app, address=f"198.51.100.{number}")
            assert stranger.post("/login", token="", username="ada", password="x").status_code == 400
            assert stranger.post("/account/theme", token="", theme="dark").status_code == 400
            assert stranger.get("/metrics").status_code == 403
        clock.shift(timedelta(minutes=2))
        Browser(app, address="198.51.100.99").get("/metrics")

    rows = [row for row in reported(inventory) if row.event != Event.ACCOUNT_ADDED]
    assert [(row.event, row.actor, row.address, row.details.get("skipped")) for row in rows] == [
        ("metrics_denied", "", "198.51.100.99", 19),
        ("metrics_denied", "", "198.51.100.0", None),
        ("csrf_failed", "", "198.51.100.0", None),
    ]


def test_a_form_without_its_token_and_a_refused_request_are_audited_with_their_person(
    app: Flask, inventory: Inventory
) -> None:
    vera = Browser(app).logged_in("vera")
    vera.get("/inventory")
    assert vera.post("/views", view_name="De todos", shared="1").status_code == 403
    assert vera.post("/views", token="forged", view_name="Mía").status_code == 400

    assert [(row.event, row.actor, row.details["page"]) for row in reported(inventory)[:2]] == [
        ("csrf_failed", "vera", "POST /views"),
        ("access_refused", "vera", "POST /views"),
    ]


def test_a_login_without_the_token_of_its_page_is_audited(app: Flask, inventory: Inventory) -> None:
    assert Browser(app).post("/login", token="", username="ada", password="x").status_code == 400

    (row,) = reported(inventory, EventFilter(event="csrf_failed"))
    assert (row.actor, row.details["page"]) == ("", "POST /login")


def test_a_refused_change_of_an_account_is_audited_with_its_reason(app: Flask, inventory: Inventory) -> None:
    users.disable_account(inventory, name="admin")
    admin = Browser(app).logged_in("ada")
    admin.get("/users")
    assert admin.post("/users/role", username="ada", role="viewer").status_code == 422

    (row,) = reported(inventory, EventFilter(event="account_change_refused"))
    assert (row.actor, row.subject, row.details["reason"]) == ("ada", "ada", "role: last_admin")


def test_an_account_that_does_not_exist_is_audited_when_it_is_changed(app: Flask, inventory: Inventory) -> None:
    admin = Browser(app).logged_in("ada")
    admin.get("/users")
    assert admin.post("/users/enable", username="nadie").status_code == 404

    (row,) = reported(inventory, EventFilter(event="account_change_refused"))
    assert (row.subject, row.details["reason"]) == ("nadie", "username: unknown")


def test_a_wrong_code_when_the_second_factor_is_switched_off_is_audited(app: Flask, inventory: Inventory) -> None:
    vera = Browser(app).logged_in("vera")
    vera.get("/account/second-factor")
    vera.post("/account/second-factor/off", current_password=PASSWORD, second_code="000000")

    assert [row.actor for row in reported(inventory, EventFilter(event="second_factor_off_refused"))] == ["vera"]


def test_a_product_that_is_retired_and_restored_is_audited(app: Flask, inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    olga = Browser(app).logged_in("olga")
    olga.post("/products/A-1/retire")
    olga.post("/products/A-1/restore")

    assert [(row.event, row.actor, row.subject) for row in reported(inventory)[:2]] == [
        ("product_restored", "olga", "A-1"),
        ("product_retired", "olga", "A-1"),
    ]


def test_a_refused_page_says_which_role_is_needed_and_whom_to_ask(app: Flask) -> None:
    page = Browser(app).let_in("vera").get("/audit")

    assert page.status_code == 403
    assert "hace falta «Administrador» y usted tiene «Consulta»" in page.text
    assert "ada, admin" in page.text
    assert 'href="/audit"' not in page.text


def test_the_page_shows_events_and_filters_them(app: Flask) -> None:
    Browser(app).log_in("vera", "no es esta")
    admin = Browser(app).let_in("ada")
    page = admin.get("/audit").text

    assert re.search(r"<strong>Entrada fallida</strong>.*?vera", page, re.DOTALL)
    assert "<strong>Entrada en la sesión</strong>" in page
    of_vera = admin.get("/audit?person=VERA").text
    assert "<strong>Entrada fallida</strong>" in of_vera
    assert "<strong>Entrada en la sesión</strong>" not in of_vera
    assert "<strong>Entrada fallida</strong>" not in admin.get("/audit?event=login").text
    assert "no hay ningún suceso" in admin.get("/audit?since=2999-01-01").text


@pytest.mark.parametrize(
    "query",
    [
        "until=9999-12-31",
        "since=0001-01-01",
        "event='--",
        "person=%00",
        "person=" + "x" * 5000,
    ],
)
def test_an_odd_filter_is_a_page(app: Flask, query: str) -> None:
    assert Browser(app).let_in("ada").get(f"/audit?{query}").status_code == 200


@pytest.mark.parametrize(
    "after", ["-1", "x", "99999999999999999999", "%00", str(Cursor("a", 1)), str(Cursor(None, "a"))]
)
def test_a_crafted_cursor_of_the_audit_is_refused(app: Flask, after: str) -> None:
    answer = Browser(app).let_in("ada").get(f"/audit?after={after}")

    assert answer.status_code == 422
    assert "INV-001" in answer.text


@pytest.mark.parametrize("page", ["audit", "audit.csv", "timeline"])
@pytest.mark.parametrize(
    ("query", "reported"), [("since=ayer", "Desde: «ayer»"), ("until=2026-13-01", "Hasta: «2026-13-01»")]
)
def test_what_is_not_a_day_is_refused_instead_of_showing_every_day(
    app: Flask, page: str, query: str, reported: str
) -> None:
    answer = Browser(app).let_in("ada").get(f"/{page}?{query}")

    assert answer.status_code == 422
    assert f"{reported} no es un día: escríbalo como 2026-11-24." in answer.text


def test_days_begin_where_the_times_of_the_pages_are(lend_app: Callable[..., Flask], inventory: Inventory) -> None:
    admin = Browser(lend_app(timezone="America/Bogota")).let_in("ada")
    for hour in ("2026-04-03T04:59:00+00:00", "2026-04-03T05:01:00+00:00", "2026-04-04T04:59:00+00:00"):
        at = datetime.fromisoformat(hour)
        tell_at(inventory, at, f"at {at:%d-%H:%M}")
    page = admin.get("/audit?person=eva&since=2026-04-03&until=2026-04-03").text

    assert re.findall(r"<strong>(at [^<]+)</strong>", page) == ["at 04-04:59", "at 03-05:01"]


def test_pages_follow_one_another_without_gap_or_double(app: Flask, inventory: Inventory) -> None:
    for number in range(120):
        log_event(inventory, f"event {number}", by=Author("eva"))
    admin = Browser(app).let_in("ada")
    seen: list[str] = []
    address = "/audit?person=eva"
    while address:
        page = admin.get(address).text
        seen += re.findall(r"<strong>(event \d+)</strong>", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""

    assert seen == [f"event {number}" for number in reversed(range(120))]


def test_the_file_holds_what_the_filter_leaves_and_no_formula(app: Flask, inventory: Inventory) -> None:
    log_event(inventory, Event.EXPORTED, by=Author("eva"), subject='=HYPERLINK("x")', rows=7)
    log_event(inventory, Event.EXPORTED, by=Author("otra"))
    admin = Browser(app).let_in("ada")
    answer = admin.get("/audit.csv?person=eva")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert answer.mimetype == "text/csv"
    assert rows[0] == ["at", "event", "actor", "subject", "address", "request_id", "details"]
    assert [row[1:4] for row in rows[1:]] == [["exported", "eva", '\'=HYPERLINK("x")']]
    assert rows[1][6] == '{"rows": 7}'
    assert reported(inventory)[0].details == {"rows": 1, "filter": "person=eva"}
    assert reported(inventory)[0].actor == "ada"


def test_an_export_of_the_list_is_reported_with_its_filter_and_its_rows(app: Flask, inventory: Inventory) -> None:
    Browser(app).let_in("vera").get("/inventory/export.csv?search=l%C3%A1mpara+%C3%B1")
    exported = reported(inventory, EventFilter(event=Event.EXPORTED))

    assert [(row.actor, row.details) for row in exported] == [
        ("vera", {"rows": 0, "format": "csv", "filter": "search=lámpara ñ"})
    ]


def test_what_is_shown_is_text_whatever_was_tried(app: Flask) -> None:
    Browser(app, agent="<img src=x>").log_in("<script>alert(1)</script>", "no")
    page = Browser(app).let_in("ada").get("/audit").text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "statement", ["UPDATE inventory_web_audit_event SET actor = 'x'", "DELETE FROM inventory_web_audit_event"]
)
def test_events_of_the_audit_can_only_be_added_also_after_old_ones_were_deleted(
    inventory: Inventory, statement: str
) -> None:
    tell_at(inventory, datetime(2024, 6, 1, tzinfo=UTC), Event.LOGIN)
    tell_at(inventory, datetime(2025, 6, 1, tzinfo=UTC), Event.LOGIN)
    prune_events(inventory, datetime(2025, 1, 1, tzinfo=UTC), by=Author("root@inventory"))

    with pytest.raises(DBAPIError, match="insert only"):
        inventory.sessions.write(lambda session: session.execute(text(statement)))


def test_old_events_are_deleted_on_request_alone_and_that_is_reported(inventory: Inventory) -> None:
    for year in (2024, 2025):
        tell_at(inventory, datetime(year, 6, 1, tzinfo=UTC), Event.LOGIN)
    kept = len(reported(inventory)) - 1

    assert prune_events(inventory, datetime(2025, 1, 1, tzinfo=UTC), by=Author("root@inventory")) == 1
    assert len(reported(inventory)) == kept + 1
    assert (reported(inventory)[0].event, reported(inventory)[0].details["rows"]) == ("audit_pruned", 1)


def test_a_database_that_takes_nothing_is_not_in_the_way(tmp_path: Path) -> None:
    empty = SingleDatabase.from_url(f"sqlite:///{tmp_path}/missing/folder.db")
    log_event(Inventory(empty), Event.LOGIN, by=Author("eva"))
    empty.close()


def test_every_kind_of_event_has_a_name(app: Flask) -> None:
    with app.test_request_context():
        assert [event for event in Event if event_label(event) == event] == []
        assert event_label("my_plugin") == "my_plugin"


def test_names_and_details_are_cut_to_what_the_table_holds(inventory: Inventory) -> None:
    log_event(inventory, "e" * 99, by=Author("ﷺ" * 99, "a" * 99, "r" * 99), subject="s" * 999, page="p" * 9999)
    with inventory.sessions.reader() as session:
        row = session.scalars(select(AuditEvent).order_by(col(AuditEvent.id).desc())).first()

    assert row is not None
    assert (len(row.event), len(row.actor), len(row.subject), len(row.actor_key)) == (40, 80, 200, 191)
