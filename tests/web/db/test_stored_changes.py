"""503 means that nothing was changed; what is stored, or may be, is answered otherwise."""

from collections.abc import Callable

import pytest
from flask import Flask, request
from sqlalchemy import text

from inventory_core import CommitUnknown, Inventory, SingleDatabase
from inventory_core.errors import DatabaseBusy
from inventory_replication.errors import CausalTimeout, LostWriteDetected, NoEligibleReplica
from inventory_web.audit.log import Author, log_event
from inventory_web.auth import authentication
from inventory_web.errors import ClusterRefused, ConfirmedChangeLost
from inventory_web.roles import Role, public, requires
from tests.web.browser import Browser
from tests.web.http.test_form_resubmission import OURS, fields_of

STORE = text("UPDATE inventory_category SET name = name")


def store(sessions: SingleDatabase) -> None:
    sessions.write(lambda session: session.execute(STORE).close())


@pytest.fixture
def olga(make_app: Callable[..., Flask], sessions: SingleDatabase) -> Browser:
    """A browser of an application with pages that fail in the way that the path names."""
    app = make_app()
    failures = {
        "busy": DatabaseBusy(1),
        "unknown": CommitUnknown(),
        "lost": ConfirmedChangeLost(LostWriteDetected()),
        "behind": ClusterRefused(CausalTimeout()),
        "stale": ClusterRefused(NoEligibleReplica()),
    }

    @requires(Role.OPERATOR)
    def fail(kind: str) -> str:
        if request.args.get("after") == "change":
            store(sessions)
        if request.args.get("after") == "audit":
            log_event(Inventory(sessions), "test", by=Author("olga"))
        raise failures[kind]

    @public
    def crash() -> str:
        store(sessions)
        raise ZeroDivisionError

    app.add_url_rule("/fail/<kind>", "fail", fail, methods=["GET", "POST"])
    app.add_url_rule("/crash", "crash", crash, methods=["POST"])
    return Browser(app).let_in("olga")


@pytest.mark.parametrize("kind", ["busy", "behind", "stale"])
def test_a_form_that_was_not_carried_out_says_so_and_keeps_what_was_typed(olga: Browser, kind: str) -> None:
    answer = olga.send(f"/fail/{kind}", {"name": "Mesa", "operation": "once"}, headers=OURS)

    assert (answer.status_code, answer.headers["X-Changed"]) == (503, "no")
    assert "No se ha cambiado nada" in answer.text
    assert "está guardado" not in answer.text
    assert fields_of(answer.text) == {"name": "Mesa", "operation": "once"}


def test_a_page_that_cannot_be_shown_promises_nothing_about_changes(olga: Browser) -> None:
    answer = olga.get("/fail/behind")

    assert answer.status_code == 503
    assert "No se ha cambiado nada" not in answer.text


def test_an_unknown_commit_is_not_503_and_the_form_keeps_its_operation(olga: Browser) -> None:
    answer = olga.send("/fail/unknown", {"name": "Mesa", "operation": "once"}, headers=OURS)

    assert (answer.status_code, answer.headers["X-Changed"]) == (504, "unknown")
    assert "Retry-After" not in answer.headers
    assert fields_of(answer.text)["operation"] == "once"
    assert "INV-023" in answer.text


def test_a_lost_change_is_reported_without_retry_and_the_form_is_kept(olga: Browser) -> None:
    answer = olga.send("/fail/lost", {"name": "Mesa"}, headers=OURS)

    assert (answer.status_code, answer.headers["X-Changed"]) == (409, "no")
    assert "Retry-After" not in answer.headers
    assert "no se ha guardado" in answer.text
    assert fields_of(answer.text) == {"name": "Mesa"}


def test_an_error_after_a_stored_change_is_not_answered_503(olga: Browser) -> None:
    answer = olga.send("/fail/busy?after=change", {"name": "Mesa"}, headers=OURS)

    assert (answer.status_code, answer.headers["X-Changed"]) == (500, "yes")
    assert "Retry-After" not in answer.headers
    assert "El cambio está guardado" in answer.text


def test_an_audited_refusal_is_not_a_change(olga: Browser) -> None:
    assert olga.send("/fail/busy?after=audit", {"name": "Mesa"}, headers=OURS).status_code == 503


def test_a_crash_after_a_stored_change_does_not_claim_that_nothing_was_saved(olga: Browser) -> None:
    answer = olga.post("/crash")

    assert answer.status_code == 500
    assert "El cambio está guardado" in answer.text
    assert "No se guardó nada" not in answer.text


def test_a_form_whose_account_cannot_be_looked_up_is_kept(olga: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ClusterRefused(CausalTimeout())

    monkeypatch.setattr(authentication, "find_account", refuse)
    answer = olga.send("/fail/busy", {"name": "Mesa"}, headers=OURS)

    assert answer.status_code == 503
    assert "No se ha cambiado nada" in answer.text
    assert fields_of(answer.text) == {"name": "Mesa"}
