"""A page that lost its server is made again; a change never is."""

from collections.abc import Callable

import pytest
from flask import Blueprint, Flask

from inventory_replication.errors import NoEligibleReplica, ReplicationError, ServerLost
from inventory_web.errors import ClusterRefused
from inventory_web.roles import public


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An application of the test's own, which gets one more page."""
    return make_app()


@pytest.fixture
def lose(app: Flask) -> Callable[..., list[str]]:
    """Adds a page that fails this number of times before it succeeds; yields the list of its runs."""

    def make(times: int, cause: type[ReplicationError] = ServerLost) -> list[str]:
        runs: list[str] = []

        @public
        def page() -> str:
            runs.append("run")
            if len(runs) <= times:
                raise ClusterRefused(cause())
            return "read"

        app.add_url_rule("/lost", "lost", page, methods=["GET", "POST"])
        app.config["WTF_CSRF_ENABLED"] = False
        return runs

    return make


def test_a_page_that_lost_its_server_is_made_again(app: Flask, lose: Callable[..., list[str]]) -> None:
    runs = lose(1)
    answer = app.test_client().get("/lost")

    assert (answer.status_code, answer.text, len(runs)) == (200, "read", 2)
    assert answer.headers.getlist("X-Request-ID") == [answer.headers["X-Request-ID"]]


def test_a_page_that_loses_one_server_after_the_other_is_refused(app: Flask, lose: Callable[..., list[str]]) -> None:
    runs = lose(2)
    answer = app.test_client().get("/lost")

    assert (answer.status_code, len(runs)) == (503, 2)
    assert "REP-015" in answer.text
    assert int(answer.headers["Retry-After"]) > 0


def test_a_change_is_not_made_again(app: Flask, lose: Callable[..., list[str]]) -> None:
    runs = lose(1)

    assert (app.test_client().post("/lost").status_code, len(runs)) == (503, 1)


def test_a_page_that_was_refused_for_another_reason_is_not_made_again(
    app: Flask, lose: Callable[..., list[str]]
) -> None:
    runs = lose(1, NoEligibleReplica)

    assert (app.test_client().get("/lost").status_code, len(runs)) == (503, 1)


def test_a_blueprint_may_answer_for_a_lost_server_itself(app: Flask) -> None:
    runs: list[str] = []

    @public
    def page() -> str:
        runs.append("run")
        raise ClusterRefused(ServerLost())

    blueprint = Blueprint("own", __name__)
    blueprint.add_url_rule("/own", view_func=page)
    blueprint.register_error_handler(ClusterRefused, lambda _: ("of its own", 503))
    app.register_blueprint(blueprint)
    answer = app.test_client().get("/own")

    assert (answer.status_code, answer.text, len(runs)) == (503, "of its own", 1)
