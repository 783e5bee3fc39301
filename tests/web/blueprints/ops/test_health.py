"""Health for people and for the balancer, and who may read the metrics."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr

from inventory_core import SingleDatabase
from inventory_web import Settings, create_app
from tests.web.browser import Browser

JSON = {"Accept": "application/json"}


@pytest.fixture
def without_tables(tmp_path: Path) -> Iterator[Flask]:
    sessions = SingleDatabase.from_file(tmp_path / "empty.db")
    yield create_app(Settings(secret_key=SecretStr("k" * 32), instance="web9"), sessions=sessions)
    sessions.close()


def test_health_is_one_line_with_the_name_of_the_instance(lend_app: Callable[..., Flask]) -> None:
    answer = Browser(lend_app(instance="web2")).get("/health")

    assert (answer.status_code, answer.text, answer.mimetype) == (200, "web2\n", "text/plain")
    assert answer.headers["X-Served-By"] == "web2"


def test_health_reports_more_to_a_machine(lend_app: Callable[..., Flask]) -> None:
    answer = Browser(lend_app(instance="web2")).get("/health", headers=JSON)

    assert answer.json == {
        "status": "ok",
        "instance": "web2",
        "version": version("inventory-web"),
        "database": {"mode": "single", "source": {"name": "source", "state": "up"}, "replicas": []},
    }


def test_ready_means_that_reads_can_be_served(app: Flask) -> None:
    assert [Browser(app).get(path).status_code for path in ("/health/live", "/health/ready")] == [200, 200]


def test_an_instance_that_cannot_read_lives_and_is_not_ready(without_tables: Flask) -> None:
    browser = Browser(without_tables)
    ready, reported = browser.get("/health/ready"), browser.get("/health", headers=JSON)

    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "5")
    assert browser.get("/health/live").status_code == 200
    assert reported.status_code == 200
    assert reported.json is not None
    assert (reported.json["status"], reported.json["database"]["source"]["state"]) == ("unavailable", "down")


def test_health_needs_no_login_and_sets_no_cookie(app: Flask) -> None:
    answers = [Browser(app).get(path) for path in ("/health", "/health/live", "/health/ready")]

    assert ["Set-Cookie" in answer.headers for answer in answers] == [False] * 3


@pytest.mark.parametrize(
    ("address", "headers", "settings", "allowed"),
    [
        ("127.0.0.1", {}, {}, True),
        ("::1", {}, {}, True),
        ("::ffff:10.1.2.3", {}, {}, True),
        ("10.1.2.3", {}, {}, True),
        ("192.168.0.9", {}, {}, True),
        ("8.8.8.8", {}, {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}, {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}, {"proxies": 1}, False),
        ("8.8.8.8", {}, {"metrics_allow": "8.8.8.0/24"}, True),
        ("127.0.0.1", {}, {"metrics_allow": "8.8.8.0/24"}, False),
        ("127.0.0.1", {}, {"metrics_allow": "8.8.8.0/24,local"}, True),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, {"metrics_allow": "8.8.8.0/24"}, False),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, {"metrics_allow": "8.8.8.0/24", "proxies": 1}, True),
        ("not an address", {}, {}, False),
    ],
)
def test_metrics_are_for_those_who_are_named(
    lend_app: Callable[..., Flask], address: str, headers: dict[str, str], settings: dict[str, object], *, allowed: bool
) -> None:
    answer = Browser(lend_app(**settings), address=address).get("/metrics", headers=headers)

    assert answer.status_code == (200 if allowed else 403)
    assert ("inventory_requests_total" in answer.text) == allowed


def test_metrics_count_what_was_answered_by_each_application_alone(make_app: Callable[..., Flask]) -> None:
    one, other = make_app(), make_app()
    for _ in range(3):
        Browser(one).get("/health")
    Browser(one).get("/nada")
    reported = Browser(one, address="127.0.0.1").get("/metrics").text

    assert 'inventory_requests_total{endpoint="status.health",method="GET",status="200"} 3.0' in reported
    assert 'inventory_requests_total{endpoint="unknown",method="GET",status="404"} 1.0' in reported
    assert 'inventory_request_seconds_count{endpoint="status.health"} 3.0' in reported
    assert "status.health" not in Browser(other, address="127.0.0.1").get("/metrics").text
