"""Fragments, the log, operation ids, and languages."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from inventory_web.context import current_operation
from inventory_web.http import responses
from tests.web.browser import Browser

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        (PARTIAL, True),
        ({"HX-Request": "true", "HX-Request-Type": "full"}, False),
    ],
)
def test_only_htmx_that_replaces_a_part_gets_a_fragment(app: Flask, headers: dict[str, str], *, fragment: bool) -> None:
    with app.test_request_context(headers=headers):
        assert responses.wants_fragment() is fragment


def test_after_a_form_browsers_and_htmx_are_redirected(app: Flask) -> None:
    with app.test_request_context():
        plain = responses.see_other("/inventory")
    with app.test_request_context(headers=PARTIAL):
        reported = responses.see_other("/inventory")

    assert (plain.status_code, plain.location) == (303, "/inventory")
    assert (reported.status_code, reported.headers["HX-Redirect"]) == (200, "/inventory")


def test_an_anonymous_htmx_request_keeps_the_page_and_links_to_the_login(app: Flask) -> None:
    answer = Browser(app).get("/inventory", headers=PARTIAL)

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (401, "#notices")
    assert "lo que escribió no se pierde" in answer.text
    assert re.search('<a[^>]* href="/login" target="_blank"', answer.text)


def test_an_operation_id_comes_from_the_form_or_the_header_or_is_made(app: Flask) -> None:
    given = {"Idempotency-Key": "from-header"}
    with app.test_request_context(method="POST", data={"operation": "from-form"}, headers=given):
        assert current_operation() == "from-form"
    with app.test_request_context(method="POST", headers=given):
        assert current_operation() == "from-header"
    made = set()
    for _ in range(2):
        with app.test_request_context(method="POST"):
            made.add(current_operation())
            # One request keeps the id that it made.
            assert current_operation() in made
    assert len(made) == 2


@pytest.mark.slow
def test_each_request_is_one_json_line_with_the_number_that_the_answer_carries() -> None:
    program = """
import sys
from inventory_core import SingleDatabase
from inventory_web import Settings, create_app
from inventory_web.http.logs import configure_logging
configure_logging("info")
app = create_app(Settings(secret_key="x" * 32, database_url="sqlite://"))
answer = app.test_client().get("/nada", buffered=True)
app.logger.warning("a library says <é>")
print(answer.headers["X-Request-ID"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]

    assert [line["event"] for line in lines] == ["request", "a library says <é>"]
    assert (lines[0]["status"], lines[0]["path"], lines[0]["method"]) == (404, "/nada", "GET")
    assert lines[0]["request_id"] == done.stdout.strip()


def test_making_an_application_leaves_the_logging_of_the_host_alone(make_app: Callable[..., Flask]) -> None:
    before = list(logging.getLogger().handlers), logging.getLogger().level
    make_app(log_level="debug")

    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


def test_english_falls_back_to_spanish_where_no_catalogue_is_installed(make_app: Callable[..., Flask]) -> None:
    page = Browser(make_app(language="en")).get("/login").text

    assert '<html lang="en">' in page
    assert "<h1" in page


def test_times_are_shown_in_the_zone_of_the_settings(lend_app: Callable[..., Flask]) -> None:
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    app = lend_app(timezone="Europe/Madrid")
    with app.test_request_context():
        shown = app.jinja_env.filters["when"](moment)

    assert shown == '<time datetime="2026-07-01T22:30:00+00:00">2 jul 2026, 0:30</time>'


def test_importing_the_command_line_costs_no_web() -> None:
    program = (
        "import sys, inventory_web.cli; print([m for m in ('flask', 'sqlmodel', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
