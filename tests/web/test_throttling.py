"""Failed logins are limited for all instances together, and lock nobody else out."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask

from inventory_core import Inventory, SingleDatabase
from inventory_web.areas.accounts import throttling
from inventory_web.errors import TooManyLogins
from tests.web.browser import PASSWORD, Browser


@pytest.fixture
def instances(make_app: Callable[..., Flask]) -> list[Flask]:
    return [make_app(instance="web1"), make_app(instance="web2")]


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


def test_guessing_many_names_from_one_address_is_stopped_too(inventory: Inventory) -> None:
    for number in range(throttling.MOST_FOR_ADDRESS):
        throttling.count_attempt(inventory, name_key=f"name{number}", address="192.0.2.1")

    with pytest.raises(TooManyLogins):
        throttling.count_attempt(inventory, name_key="another", address="192.0.2.1")
    throttling.count_attempt(inventory, name_key="another", address="192.0.2.2")


def test_an_ipv6_network_counts_as_one_address(inventory: Inventory) -> None:
    for number in range(throttling.MOST_FOR_PAIR):
        throttling.count_attempt(inventory, name_key="ada", address=f"2001:db8:1:2::{number}")

    with pytest.raises(TooManyLogins):
        throttling.count_attempt(inventory, name_key="ada", address="2001:db8:1:2:ffff::1")
    throttling.count_attempt(inventory, name_key="ada", address="2001:db8:1:3::1")


def test_the_window_ends_and_success_forgives(app: Flask) -> None:
    with time_machine.travel(0, tick=False) as clock:
        for _ in range(4):
            fail(app, "ada")
        assert Browser(app).log_in("ada", PASSWORD).status_code == 303
        assert [fail(app, "ada") for _ in range(6)] == [422] * 5 + [429]
        clock.shift(throttling.WINDOW + timedelta(seconds=1))

        assert fail(app, "ada") == 422


def test_many_successful_logins_from_one_address_are_no_failures(inventory: Inventory) -> None:
    for number in range(throttling.MOST_FOR_ADDRESS + 5):
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


def test_behind_a_trusted_proxy_each_client_has_a_count_of_its_own(make_app: Callable[..., Flask]) -> None:
    browser = Browser(make_app(proxies=1))
    browser.get("/login")
    sent = {"csrf_token": browser.token, "username": "ada", "password": "no"}
    answers = [
        browser.client.post("/login", data=sent, headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [422] * 6


def test_a_forwarded_address_of_nobody_we_trust_changes_nothing(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/login")
    sent = {"csrf_token": browser.token, "username": "ada", "password": "no"}
    answers = [
        browser.client.post("/login", data=sent, headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(6)
    ]

    assert answers[-1].status_code == 429
