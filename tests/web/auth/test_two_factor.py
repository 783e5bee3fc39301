"""The second factor: enrolment, codes that count once, recovery codes, limits, and what an administrator can do."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select
from sqlmodel import col

from inventory_core import Inventory
from inventory_web.audit.log import Author
from inventory_web.auth import throttling, two_factor
from inventory_web.db.models import RecoveryCode, SecondFactor
from tests.web.browser import PASSWORD, Browser

STEP = timedelta(seconds=30)
CODE = re.compile(r"<li><code>([0-9a-z-]{17})</code></li>")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-04-03T12:00:10+00:00", tick=False) as traveller:
        yield traveller


def secret_on(page: str) -> str:
    return "".join(re.findall(r"<code>([A-Z2-7]{4})</code>", page))


def code_of(secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC) + steps * STEP)


def enrol(browser: Browser) -> tuple[str, list[str]]:
    """Switch the second factor on; give the secret and the recovery codes."""
    browser.get("/account/second-factor")
    browser.post("/account/second-factor/begin", current_password=PASSWORD)
    secret = secret_on(browser.get("/account/second-factor").text)
    answer = browser.post("/account/second-factor/confirm", second_code=pyotp.TOTP(secret).now())
    assert answer.location == "/account/second-factor/codes", answer.text
    return secret, CODE.findall(browser.get("/account/second-factor/codes").text)


def second_step(app: Flask, name: str = "vera", *, address: str = "192.0.2.1") -> Browser:
    browser = Browser(app, address=address)
    answer = browser.log_in(name, PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/login/code")
    browser.get("/login/code")
    return browser


def test_enrolment_requests_the_password_and_a_code_before_anything_counts(
    app: Flask, clock: time_machine.Traveller
) -> None:
    browser = Browser(app).let_in("vera")
    wrong = browser.post("/account/second-factor/begin", current_password="no")
    browser.post("/account/second-factor/begin", current_password=PASSWORD)
    page = browser.get("/account/second-factor").text
    secret = secret_on(page)
    refused = browser.post("/account/second-factor/confirm", second_code="000000")

    assert wrong.status_code == 422
    assert len(secret) == 32
    assert '<svg viewBox="0 0' in page
    assert f"secret={secret}" in page
    assert refused.status_code == 422
    assert secret in "".join(re.findall(r"<code>([A-Z2-7]{4})</code>", refused.text))
    assert Browser(app).log_in("vera", PASSWORD).location == "/"
    clock.shift(STEP)
    accepted = browser.post("/account/second-factor/confirm", second_code=code_of(secret))
    assert accepted.location == "/account/second-factor/codes"
    assert Browser(app).log_in("vera", PASSWORD).location == "/login/code"


def test_a_secret_is_shown_to_the_session_that_requested_it_and_only_for_a_while(
    app: Flask, clock: time_machine.Traveller
) -> None:
    browser, elsewhere = Browser(app).let_in("vera"), Browser(app).let_in("vera")
    browser.post("/account/second-factor/begin", current_password=PASSWORD)

    assert secret_on(browser.get("/account/second-factor").text)
    assert secret_on(elsewhere.get("/account/second-factor").text) == ""
    clock.shift(two_factor.ENROLMENT + STEP)
    assert secret_on(browser.get("/account/second-factor").text) == ""


def test_the_database_holds_neither_the_secret_nor_a_recovery_code(app: Flask, inventory: Inventory) -> None:
    browser = Browser(app).let_in("vera")
    secret, codes = enrol(browser)
    browser.post("/account/second-factor/codes/seen")
    with inventory.sessions.reader() as session:
        row = session.scalars(select(SecondFactor)).one()
        stored = f"{row.secret} {row.fresh} {session.scalars(select(col(RecoveryCode.id))).all()}"

    assert row.fresh is None
    assert secret not in stored
    assert len(codes) == 10
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]


def test_a_login_needs_both_steps(app: Flask, clock: time_machine.Traveller) -> None:
    secret, _ = enrol(Browser(app).let_in("vera"))
    clock.shift(STEP)
    browser = second_step(app)

    assert browser.get("/inventory").status_code == 302
    assert browser.post("/login/code", second_code="123456").status_code == 422
    answer = browser.post("/login/code", second_code=f" {code_of(secret)[:3]} {code_of(secret)[3:]} ")
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/inventory").status_code == 200


def test_the_second_step_goes_where_the_person_was_going(app: Flask, clock: time_machine.Traveller) -> None:
    secret, _ = enrol(Browser(app).let_in("vera"))
    clock.shift(STEP)
    browser = Browser(app)
    browser.log_in("vera", PASSWORD, next="/movements?code=A")
    browser.get("/login/code")

    assert browser.post("/login/code", second_code=code_of(secret)).location == "/movements?code=A"


def test_a_code_counts_once_on_all_instances(lend_app: Callable[..., Flask], clock: time_machine.Traveller) -> None:
    one, two = lend_app(instance="web1"), lend_app(instance="web2")
    secret, _ = enrol(Browser(one).let_in("vera"))
    assert second_step(one).post("/login/code", second_code=code_of(secret)).status_code == 422
    clock.shift(STEP)
    code = code_of(secret)

    assert second_step(one).post("/login/code", second_code=code).status_code == 303
    assert second_step(two).post("/login/code", second_code=code).status_code == 422
    # Nor does one that is older than the last one that counted, although its step would still do.
    older = code_of(secret, steps=-1)
    assert second_step(two).post("/login/code", second_code=older).status_code == 422


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 303), (0, 303), (1, 303), (2, 422)])
def test_a_clock_may_be_a_step_ahead_or_behind(
    app: Flask, clock: time_machine.Traveller, steps: int, status: int
) -> None:
    secret, _ = enrol(Browser(app).let_in("vera"))
    clock.shift(5 * STEP)

    assert second_step(app).post("/login/code", second_code=code_of(secret, steps=steps)).status_code == status


def test_each_recovery_code_works_once_and_is_taken_as_people_type_it(app: Flask) -> None:
    _, codes = enrol(Browser(app).let_in("vera"))
    typed = codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")

    assert second_step(app).post("/login/code", second_code=typed).status_code == 303
    assert second_step(app).post("/login/code", second_code=codes[0]).status_code == 422
    browser = second_step(app)
    assert browser.post("/login/code", second_code=codes[1]).status_code == 303
    assert "Le quedan 8 códigos de recuperación." in browser.get("/account/second-factor").text


def test_a_recovery_code_of_another_user_is_worth_nothing(app: Flask) -> None:
    _, codes = enrol(Browser(app).let_in("olga"))
    enrol(Browser(app).let_in("vera"))

    assert second_step(app).post("/login/code", second_code=codes[0]).status_code == 422


def test_recovery_codes_can_be_fetched_as_text_until_they_are_kept(app: Flask) -> None:
    browser, elsewhere = Browser(app).let_in("vera"), Browser(app).let_in("vera")
    _, codes = enrol(browser)
    file = browser.get("/account/second-factor/codes.txt")

    assert file.mimetype == "text/plain"
    assert [line for line in file.text.splitlines() if line in codes] == codes
    assert elsewhere.get("/account/second-factor/codes.txt").status_code == 302
    assert CODE.findall(browser.get("/account/second-factor/codes").text) == codes
    browser.post("/account/second-factor/codes/seen")
    assert browser.get("/account/second-factor/codes").location == "/account/second-factor"
    assert browser.get("/account/second-factor/codes.txt").status_code == 302


def test_a_double_click_on_the_first_code_shows_the_same_recovery_codes(app: Flask) -> None:
    browser = Browser(app).let_in("vera")
    secret, codes = enrol(browser)
    again = browser.post("/account/second-factor/confirm", second_code=code_of(secret))

    assert again.location == "/account/second-factor/codes"
    assert CODE.findall(browser.get("/account/second-factor/codes").text) == codes


def test_new_recovery_codes_take_the_place_of_the_old_ones(app: Flask, clock: time_machine.Traveller) -> None:
    browser = Browser(app).let_in("vera")
    secret, old = enrol(browser)
    clock.shift(STEP)
    browser.post("/account/second-factor/codes", current_password=PASSWORD, second_code=code_of(secret))
    new = CODE.findall(browser.get("/account/second-factor/codes").text)

    assert len(new) == 10
    assert not set(new) & set(old)
    assert second_step(app).post("/login/code", second_code=old[0]).status_code == 422
    assert second_step(app).post("/login/code", second_code=new[0]).status_code == 303


def test_switching_off_needs_the_password_and_a_code(app: Flask, clock: time_machine.Traveller) -> None:
    browser = Browser(app).let_in("vera")
    secret, codes = enrol(browser)
    clock.shift(STEP)
    address = "/account/second-factor/off"
    refused = [
        browser.post(address, current_password="no", second_code=code_of(secret)),
        browser.post(address, current_password=PASSWORD, second_code="000000"),
    ]
    browser.get("/account/second-factor")

    assert [answer.status_code for answer in refused] == [422, 422]
    assert browser.post(address, current_password=PASSWORD, second_code=codes[3]).status_code == 303
    assert Browser(app).log_in("vera", PASSWORD).location == "/"


def test_wrong_codes_are_limited_like_wrong_passwords_and_a_right_password_forgives_none(
    lend_app: Callable[..., Flask], clock: time_machine.Traveller
) -> None:
    apps = [lend_app(instance="web1"), lend_app(instance="web2")]
    secret, _ = enrol(Browser(apps[0]).let_in("vera"))
    statuses = []
    for number in range(4):
        browser = Browser(apps[number % 2], address="198.51.100.9")
        if browser.log_in("vera", PASSWORD).status_code == 429:
            statuses.append(429)
            continue
        browser.get("/login/code")
        statuses.append(browser.post("/login/code", second_code="000000").status_code)
    clock.shift(STEP)

    assert statuses == [422, 422, 429, 429]
    assert second_step(apps[1]).post("/login/code", second_code=code_of(secret)).status_code == 303


def test_wrong_codes_are_limited_for_the_account_wherever_they_come_from(app: Flask) -> None:
    enrol(Browser(app).let_in("vera"))
    answers = [
        second_step(app, address=f"198.51.100.{number}").post("/login/code", second_code="000000").status_code
        for number in range(throttling.MAX_FOR_SECOND_FACTOR + 1)
    ]

    assert answers == [422] * throttling.MAX_FOR_SECOND_FACTOR + [429]


def test_the_second_step_ends_with_the_password_that_it_followed(app: Flask, clock: time_machine.Traveller) -> None:
    browser = Browser(app).let_in("vera")
    secret, _ = enrol(browser)
    waiting = second_step(app)
    browser.post(
        "/account/password", current_password=PASSWORD, new_password="muy distinta", repeated_password="muy distinta"
    )
    clock.shift(STEP)

    assert waiting.post("/login/code", second_code=code_of(secret)).status_code == 422
    late = second_step_with(app, "muy distinta")
    clock.shift(timedelta(minutes=11))
    assert late.post("/login/code", second_code=code_of(secret)).status_code == 422
    assert late.get("/login/code").location == "/login"


def test_the_second_step_of_one_password_is_taken_once(app: Flask, clock: time_machine.Traveller) -> None:
    secret, _ = enrol(Browser(app).let_in("vera"))
    clock.shift(STEP)
    browser, thief = second_step(app), Browser(app)
    cookie = browser.client.get_cookie("inventory_session")
    assert cookie
    thief.client.set_cookie("inventory_session", cookie.value)
    thief.token = browser.token
    assert browser.post("/login/code", second_code=code_of(secret)).status_code == 303
    clock.shift(STEP)
    answer = thief.post("/login/code", second_code=code_of(secret))

    assert answer.status_code == 422
    assert "escriba otra vez su contraseña" in answer.text
    assert thief.get("/inventory").status_code == 302


def second_step_with(app: Flask, password: str) -> Browser:
    browser = Browser(app)
    browser.log_in("vera", password)
    browser.get("/login/code")
    return browser


def test_another_secret_key_makes_codes_worthless_and_recovery_codes_still_work(
    app: Flask, lend_app: Callable[..., Flask], clock: time_machine.Traveller
) -> None:
    secret, codes = enrol(Browser(app).let_in("vera"))
    clock.shift(STEP)
    other = lend_app(secret_key=SecretStr("another key of tests, long and random 0123"))

    assert second_step(other).post("/login/code", second_code=code_of(secret)).status_code == 422
    assert second_step(other).post("/login/code", second_code=codes[0]).status_code == 303


def test_an_administrator_removes_a_lost_second_factor(app: Flask) -> None:
    enrol(Browser(app).let_in("vera"))
    admin = Browser(app).let_in("ada")

    assert "Dos pasos" in admin.get("/users").text
    assert admin.post("/users/second-factor", username="vera").status_code == 303
    assert "Dos pasos" not in admin.get("/users").text
    assert Browser(app).log_in("vera", PASSWORD).location == "/"
    assert admin.post("/users/second-factor", username="nadie").status_code == 404


def test_administrators_can_be_made_to_have_one(lend_app: Callable[..., Flask]) -> None:
    app = lend_app(second_factor="admin")
    admin = Browser(app).let_in("ada")

    assert admin.get("/inventory").location == "/account/second-factor"
    assert admin.post("/users/disable", username="vera").location == "/account/second-factor"
    assert "deben activarla antes" in admin.get("/account/second-factor").text
    assert Browser(app).let_in("olga").get("/inventory").status_code == 200
    enrol(admin)
    assert admin.get("/users").status_code == 200


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "१२३४५६", "000000\x00", "x" * 5000, "'; DROP TABLE user;--"]
)
def test_an_odd_code_is_refused_like_a_wrong_one(inventory: Inventory, app: Flask, code: str) -> None:
    browser = Browser(app).let_in("vera")
    enrol(browser)
    key = str(app.secret_key)

    assert not two_factor.check(inventory, 3, code, secret_keys=(key,), by=Author())
    assert second_step(app).post("/login/code", second_code=code).status_code == 422
