"""Failed logins are limited for all instances together, without locking out other users."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from inventory_core import Inventory, SingleDatabase
from inventory_web.audit.views import EventFilter, events_page
from inventory_web.auth import throttling
from inventory_web.db.models import LoginThrottle
from inventory_web.errors import TooManyLogins
from tests.web.browser import PASSWORD, Browser


@pytest.fixture
def instances(lend_app: Callable[..., Flask]) -> list[Flask]:
    return [lend_app(instance="web1"), lend_app(instance="web2")]


def fail(app: Flask, name: str, *, address: str = "192.0.2.1") -> int:
    return Browser(app, address=address).log_in(name, "no es esta").status_code


def test_five_failures_over_two_instances_stop_the_sixth_even_with_the_right_password(instances: list[Flask]) -> None:
    answers = [fail(instances[number % 2], "ada") for number in range(5)]
    refused = Browser(instances[1]).log_in("ada", PASSWORD)

    assert answers == [422] * 5
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert "Demasiados intentos fallidos. Espere 15 minutos" in refused.text


def test_a_stranger_cannot_lock_out_another_address(app: Flask) -> None:
    for _ in range(8):
        fail(app, "ada", address="198.51.100.9")

    assert Browser(app, address="192.0.2.1").log_in("ada", PASSWORD).status_code == 303


def test_an_address_that_fails_often_has_fewer_attempts_on_each_account_and_keeps_no_one_out(app: Flask) -> None:
    inventory = app.extensions["inventory"].inventory
    for number in range(throttling.BUSY_ADDRESS):
        throttling.count_attempt(inventory, name_key=f"name{number}", address="192.0.2.1")

    assert Browser(app).log_in("vera", PASSWORD).status_code == 303
    for _ in range(throttling.MAX_FOR_PAIR_OF_BUSY_ADDRESS):
        throttling.count_attempt(inventory, name_key="another", address="192.0.2.1")
    with pytest.raises(TooManyLogins):
        throttling.count_attempt(inventory, name_key="another", address="192.0.2.1")
    throttling.count_attempt(inventory, name_key="another", address="192.0.2.2")


def test_failures_of_a_busy_address_do_not_fill_the_audit(app: Flask) -> None:
    inventory = app.extensions["inventory"].inventory
    for number in range(throttling.BUSY_ADDRESS):
        throttling.count_attempt(inventory, name_key=f"name{number}", address="192.0.2.1")
    for number in range(3):
        fail(app, f"another{number}")

    assert events_page(inventory, EventFilter(event="login_failed")).rows == ()


def test_guesses_from_many_addresses_wait_longer_and_longer_but_at_most_a_minute(inventory: Inventory) -> None:
    for number in range(throttling.ACCOUNT_FREE_ATTEMPTS + 8):
        end_delays(inventory)
        throttling.count_attempt(inventory, name_key="ada", address=f"198.51.100.{number}")

    with pytest.raises(TooManyLogins) as refused:
        throttling.count_attempt(inventory, name_key="ada", address="198.51.100.99")
    assert 0 < refused.value.seconds <= 60
    throttling.count_attempt(inventory, name_key="vera", address="198.51.100.99")
    end_delays(inventory)
    throttling.count_attempt(inventory, name_key="ada", address="198.51.100.99")
    assert [row.subject for row in events_page(inventory, EventFilter(event="login_throttled")).rows] == ["ada"]
    delays = [throttling.account_delay(attempts).total_seconds() for attempts in (0, 10, 11, 12, 14, 17, 18, 5_000)]
    assert delays == [0, 0, 1, 2, 8, 60, 60, 60]


def test_a_browser_that_was_logged_in_before_gets_in_while_its_account_is_guessed(app: Flask) -> None:
    inventory = app.extensions["inventory"].inventory
    browser = Browser(app).logged_in("ada")
    browser.post("/logout")
    for number in range(throttling.ACCOUNT_FREE_ATTEMPTS + 5):
        throttling.count_attempt(inventory, name_key="ada", address=f"198.51.100.{number}")
        end_delays(inventory)
    throttling.count_attempt(inventory, name_key="ada", address="198.51.100.99")

    assert Browser(app).log_in("ada", PASSWORD).status_code == 429
    assert browser.log_in("ada", PASSWORD).status_code == 303


def test_a_known_browser_has_a_limit_of_its_own_and_a_forged_cookie_is_none(app: Flask) -> None:
    known = Browser(app).logged_in("ada")
    known.post("/logout")
    forged = Browser(app)
    forged.client.set_cookie("inventory_device", "eyJ4IjoieSJ9.aaaa.bbbb")

    assert [known.log_in("ada", "no es esta").status_code for _ in range(6)] == [422] * 5 + [429]
    assert [forged.log_in("ada", "no es esta").status_code for _ in range(6)] == [422] * 5 + [429]


def end_delays(inventory: Inventory) -> None:
    """Let the delay between attempts be over, as if time had passed."""
    inventory.sessions.write(lambda session: session.execute(update(LoginThrottle).values(next_at=None)).close())


def test_an_ipv6_network_counts_as_one_address(inventory: Inventory) -> None:
    for number in range(throttling.MAX_FOR_PAIR):
        throttling.count_attempt(inventory, name_key="ada", address=f"2001:db8:1:2::{number}")

    with pytest.raises(TooManyLogins):
        throttling.count_attempt(inventory, name_key="ada", address="2001:db8:1:2:ffff::1")
    throttling.count_attempt(inventory, name_key="ada", address="2001:db8:1:3::1")


def test_the_window_ends_and_success_forgives(app: Flask) -> None:
    inventory = app.extensions["inventory"].inventory
    for _ in range(4):
        fail(app, "ada")
    assert Browser(app).log_in("ada", PASSWORD).status_code == 303
    assert [fail(app, "ada") for _ in range(6)] == [422] * 5 + [429]

    past = update(LoginThrottle).values(ends_at=datetime(2001, 1, 1, tzinfo=UTC))
    inventory.sessions.write(lambda session: session.execute(past).close())

    assert fail(app, "ada") == 422


def test_the_clock_of_the_instance_does_not_count(app: Flask) -> None:
    with time_machine.travel(datetime(2001, 1, 1, tzinfo=UTC)):
        assert [fail(app, "ada") for _ in range(6)] == [422] * 5 + [429]
    assert fail(app, "ada") == 429


def test_many_successful_logins_from_one_address_are_no_failures(inventory: Inventory) -> None:
    for number in range(throttling.BUSY_ADDRESS + 5):
        throttling.count_attempt(inventory, name_key=f"name{number}", address="192.0.2.1")
        throttling.forgive(inventory, name_key=f"name{number}", address="192.0.2.1")


def test_guesses_at_the_same_instant_are_all_counted(sessions: SingleDatabase) -> None:
    inventory = Inventory(sessions)
    counted: list[bool] = []
    together = Barrier(12)

    def guess() -> None:
        together.wait()
        try:
            throttling.count_attempt(inventory, name_key="ada", address="192.0.2.1")
        except TooManyLogins:
            counted.append(False)
        else:
            counted.append(True)

    threads = [Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counted) == [False] * 7 + [True] * 5


def test_guessing_the_current_password_is_limited_as_well(app: Flask) -> None:
    browser = Browser(app).logged_in("vera")
    answers = [
        browser.post(
            "/account/password", current_password="no", new_password="a b c d e f", repeated_password="a b c d e f"
        )
        for _ in range(6)
    ]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert "Retry-After" in answers[-1].headers


def test_behind_a_trusted_proxy_each_client_has_a_count_of_its_own(lend_app: Callable[..., Flask]) -> None:
    browser = Browser(lend_app(proxies=1))
    browser.get("/login")
    sent = {"csrf_token": browser.token, "username": "ada", "password": "no"}
    answers = [
        browser.client.post("/login", data=sent, headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [422] * 6


def test_a_forwarded_address_of_no_trusted_proxy_changes_nothing(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/login")
    sent = {"csrf_token": browser.token, "username": "ada", "password": "no"}
    answers = [
        browser.client.post("/login", data=sent, headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(6)
    ]

    assert answers[-1].status_code == 429
