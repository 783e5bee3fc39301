"""Who may open what: every route for every role, from the map of the application itself."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from inventory_core import Inventory
from inventory_web.roles import Role, is_marked, public, requires, role_of
from tests.web.browser import PASSWORD, Browser

PUBLIC = {
    "accounts.choose_language",
    "accounts.login",
    "accounts.logout",
    "accounts.second_step",
    "assets.serve",
    "labels.measures",
    "status.health",
    "status.live",
    "accounts.choose_theme",
    "status.ready",
    "status.metrics",
}
ADMINISTRATION = {
    "accounts.accounts",
    "accounts.add",
    "accounts.role",
    "accounts.password",
    "accounts.disable",
    "accounts.enable",
    "accounts.end_sessions",
    "accounts.reset_second_factor",
}
OWN = {
    "accounts.own_password",
    "accounts.end_session",
    "accounts.end_other_sessions",
    "accounts.begin_second_factor",
    "accounts.confirm_second_factor",
    "accounts.end_second_factor",
    "accounts.renew_recovery_codes",
    "accounts.recovery_codes_seen",
    "accounts.discard",
    # What a person exports, and the work that only its owner sees.
    "exports.prepare",
    "jobs.again",
    "jobs.cancel",
    "home",
}
# What is asked for by a form and only shown: labels, a scanned code (whose modes that count are for operators). Views
# change what is kept of a list, never the list.
SHOWN = {
    "labels.change",
    "labels.choose_selected",
    "labels.sheets",
    "scanning.scanned",
    "views.change",
    "views.delete",
    "views.save",
}


def address_of(rule: Rule) -> str:
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
    return re.sub(r"<[^>]+>", "1", path)


def rows_of(inventory: Inventory) -> set[tuple[str, str]]:
    """Every row of the database as text, with its table."""
    with inventory.sessions.reader() as session:
        return {
            (name, str(tuple(row)))
            for (name,) in session.execute(text("SELECT name FROM sqlite_schema WHERE type = 'table'")).all()
            for row in session.execute(text(f'SELECT * FROM "{name}"'))  # noqa: S608 - names from the database itself
        }


def routes(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Every rule with an address that fits it, and a method that it takes."""
    for rule in app.url_map.iter_rules():
        path = address_of(rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield rule, path, method


def test_head_answers_like_get_on_every_route_and_changes_nothing(app: Flask, inventory: Inventory, file: Path) -> None:
    ada = Browser(app).let_in("ada")
    with closing(sqlite3.connect(file)) as watching:

        def commits() -> int:
            """Return a number that changes with every commit of another connection."""
            return int(watching.execute("PRAGMA data_version").fetchone()[0])

        for browser in (ada, Browser(app)):
            seen, before = commits(), rows_of(inventory)
            for rule in app.url_map.iter_rules():
                path = address_of(rule)
                requested = browser.client.get(path, buffered=True)
                if commits() != seen:
                    seen, before = commits(), rows_of(inventory)
                answer = browser.client.head(path, headers={"X-CSRFToken": ada.token}, buffered=True)

                assert answer.status_code == requested.status_code, path
                assert answer.location == requested.location, path
                assert answer.data == b"", path
                if commits() != seen:
                    seen, after = commits(), rows_of(inventory)

                    # A download is audited, whichever way it was requested.
                    assert {table for table, _ in after ^ before} <= {"inventory_web_audit_event"}, path
                    before = after


@pytest.mark.parametrize("path", ["/login", "/login/code", "/account/password", "/logout", "/imports/new"])
def test_head_with_a_form_is_not_taken_for_a_change(app: Flask, path: str) -> None:
    browser = Browser(app).let_in("ada")
    form = {
        "current_password": PASSWORD,
        "new_password": "otra clave muy larga",
        "repeated_password": "otra clave muy larga",
    }
    requested = browser.client.get(path)
    answer = browser.client.head(path, data=form, headers={"X-CSRFToken": browser.token})

    assert answer.status_code == requested.status_code
    assert Browser(app).log_in("ada", PASSWORD).status_code == 303


def test_files_of_the_browser_may_be_kept(app: Flask) -> None:
    file = re.search(r'"(/assets/[^"]+)"', Browser(app).get("/login").text)

    assert file
    assert Browser(app).get(file[1]).cache_control.immutable


def test_a_download_of_products_may_not_be_kept(app: Flask) -> None:
    browser = Browser(app).let_in("vera")
    answers = [browser.client.get(f"/inventory/export.{kind}", buffered=True) for kind in ("csv", "xlsx")]

    assert [(answer.status_code, answer.headers["Cache-Control"]) for answer in answers] == [(200, "no-store")] * 2


def test_what_is_public_is_public_on_purpose(app: Flask) -> None:
    assert {name for name, view in app.view_functions.items() if role_of(view) is None} == PUBLIC


def test_accounts_are_for_administrators_only(app: Flask) -> None:
    assert {name for name, view in app.view_functions.items() if role_of(view) is Role.ADMIN} >= ADMINISTRATION


def test_a_stranger_gets_nothing_but_the_login_and_may_keep_no_answer(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/login")
    refused = 0
    for rule, path, method in routes(app):
        answer = browser.client.open(path, method=method, headers={"X-CSRFToken": browser.token}, buffered=True)

        assert answer.headers["Cache-Control"] == "no-store", (path, method)
        if rule.endpoint not in PUBLIC:
            refused += 1
            assert answer.status_code in (302, 303), (path, method)
            assert answer.location.startswith("/login"), (path, method)
    assert refused > 20


@pytest.mark.parametrize(("name", "role"), [("vera", Role.VIEWER), ("olga", Role.OPERATOR), ("ada", Role.ADMIN)])
def test_each_role_is_refused_exactly_where_a_higher_one_is_required_and_may_keep_no_answer(
    app: Flask, name: str, role: Role
) -> None:
    browser = Browser(app).let_in(name)
    refused, let_in = 0, 0
    for rule, path, method in routes(app):
        required = role_of(app.view_functions[rule.endpoint])
        if required is None:
            continue
        answer = browser.client.open(path, method=method, headers={"X-CSRFToken": browser.token}, buffered=True)

        assert answer.headers["Cache-Control"] == "no-store", (path, method)
        if required > role:
            refused += 1
            assert answer.status_code == 403, (path, method)
            assert "Su rol no permite hacer esto" in answer.text
        else:
            let_in += 1
            assert answer.status_code not in (401, 403, 405), (path, method)
            assert not str(answer.location or "").startswith("/login"), (path, method)

    assert let_in > 5
    assert bool(refused) == (role is not Role.ADMIN)


def test_nothing_that_a_viewer_may_send_changes_stock(app: Flask) -> None:
    changing = {
        rule.endpoint: role_of(app.view_functions[rule.endpoint])
        for rule, _, method in routes(app)
        if method != "GET" and rule.endpoint not in PUBLIC | OWN | SHOWN
    }

    assert changing
    assert {endpoint for endpoint, required in changing.items() if required is Role.VIEWER} == set()


def test_an_unmarked_route_requires_a_login() -> None:
    def view() -> str:
        return ""

    assert role_of(view) is Role.VIEWER
    assert role_of(requires(Role.ADMIN)(view)) is Role.ADMIN
    assert role_of(public(view)) is None


def test_every_view_of_the_application_is_marked(app: Flask) -> None:
    assert [endpoint for endpoint, view in app.view_functions.items() if not is_marked(view)] == []


def test_a_role_may_do_all_that_the_smaller_ones_may() -> None:
    assert sorted(Role) == [Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    assert [Role.from_word(role.word) for role in Role] == list(Role)
