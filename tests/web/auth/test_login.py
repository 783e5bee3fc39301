"""Login and logout, one's own password, and sessions that end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select
from sqlmodel import col

from inventory_core import Inventory
from inventory_web.auth import authentication, users
from inventory_web.db.models import User, UserSession
from inventory_web.roles import Role
from tests.web.browser import INITIAL, PASSWORD, Browser

IDLE = timedelta(hours=12)


def test_a_stranger_is_sent_to_the_login_and_back_to_where_he_was_going(app: Flask) -> None:
    browser = Browser(app)
    answer = browser.get("/users?x=1")

    assert (answer.status_code, answer.location) == (302, "/login?next=/users?x%3D1")

    answer = browser.log_in("ada", PASSWORD, next="/users?x=1")

    assert (answer.status_code, answer.location) == (303, "/users?x=1")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "users", "/a\nb", ""],
)
def test_a_login_never_leads_to_another_site(app: Flask, target: str) -> None:
    assert Browser(app).log_in("ada", PASSWORD, next=target).location == "/"


def test_the_name_is_recognised_in_any_case(app: Flask) -> None:
    assert Browser(app).log_in(" ADA ", PASSWORD).status_code == 303


def test_wrong_name_wrong_password_and_disabled_account_have_the_same_message(app: Flask, inventory: Inventory) -> None:
    users.disable_account(inventory, name="vera")
    answers = [
        Browser(app).log_in(name, word)
        for name, word in (("ada", "otra clave más"), ("nadie", PASSWORD), ("vera", PASSWORD), ("", ""))
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert all("El usuario o la contraseña no son correctos." in answer.text for answer in answers)
    assert 'value="ada"' in answers[0].text
    assert "otra clave más" not in answers[0].text


@pytest.mark.usefixtures("shipped_hashes")
def test_an_unknown_name_costs_the_same_hash_as_a_known_one() -> None:
    stored = users.hash_password(PASSWORD)
    parameters = users.DUMMY_HASH.rpartition("$")[0].rpartition("$")[0]

    assert stored.startswith(parameters)
    assert parameters == "$argon2id$v=19$m=19456,t=2,p=1"
    assert not users.matches(None, PASSWORD)


def test_a_hash_of_older_parameters_is_renewed_at_the_next_login(app: Flask, inventory: Inventory) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    statement = User.__table__.update().values(password_hash=weak)  # type: ignore[attr-defined]
    inventory.sessions.write(lambda session: session.execute(statement).close())
    Browser(app).logged_in("ada")

    with inventory.sessions.reader() as session:
        stored = session.scalars(select(col(User.password_hash)).where(col(User.name) == "ada")).one()

    assert not users.is_outdated(stored)


def test_a_new_database_has_one_administrator_and_a_banner_until_the_password_is_changed(app: Flask) -> None:
    browser = Browser(app).logged_in(*INITIAL)

    assert "Cámbiela ahora" in browser.get("/users").text

    answer = browser.post(
        "/account/password", current_password=INITIAL[1], new_password=PASSWORD, repeated_password=PASSWORD
    )

    assert answer.status_code == 303
    assert "Cámbiela ahora" not in browser.get("/users").text
    assert Browser(app).log_in(*INITIAL).status_code == 422
    assert Browser(app).log_in("admin", PASSWORD).status_code == 303


def test_production_lets_a_provisional_password_do_nothing_but_be_changed(lend_app: Callable[..., Flask]) -> None:
    app = lend_app(env="production", cookie_secure=False)
    browser = Browser(app).logged_in(*INITIAL)

    for path in ("/", "/users", "/inventory"):
        assert browser.get(path).location == "/account/password"
    assert browser.post("/users/disable", username="olga").location == "/account/password"

    browser.get("/account/password")
    browser.post("/account/password", current_password=INITIAL[1], new_password=PASSWORD, repeated_password=PASSWORD)

    assert browser.get("/users").status_code == 200


@pytest.mark.parametrize(
    ("known", "new", "repeated", "says"),
    [
        ("mal", "otra clave larga", "otra clave larga", "No es correcta."),
        (PASSWORD, "corta", "corta", "Es demasiado corto"),
        (PASSWORD, "", "", "Este dato es obligatorio."),
        (PASSWORD, "una larga", "otra larga", "no coinciden"),
        (PASSWORD, PASSWORD, PASSWORD, "distinta de la actual"),
        (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", "fácil de adivinar"),
        (PASSWORD, "x1y2" * 60, "x1y2" * 60, "Es demasiado largo"),
    ],
)
def test_a_password_that_will_not_do_is_refused_next_to_its_field(
    app: Flask, known: str, new: str, repeated: str, says: str
) -> None:
    browser = Browser(app).logged_in("vera")
    answer = browser.post("/account/password", current_password=known, new_password=new, repeated_password=repeated)

    assert answer.status_code == 422
    assert says in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert Browser(app).log_in("vera", PASSWORD).status_code == 303


def test_logging_out_ends_the_session_also_for_a_copy_of_the_cookie(app: Flask) -> None:
    browser = Browser(app).logged_in("ada")
    cookie = browser.client.get_cookie("inventory_session")
    assert cookie is not None
    answer = browser.post("/logout")
    thief = Browser(app)
    thief.client.set_cookie("inventory_session", cookie.value)

    assert answer.location == "/login"
    assert "Sesión cerrada." in browser.get("/login").text
    assert thief.get("/users").status_code == 302


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(app: Flask) -> None:
    here, elsewhere = Browser(app).logged_in("ada"), Browser(app).logged_in("ada")
    here.post(
        "/account/password", current_password=PASSWORD, new_password="muy distinta", repeated_password="muy distinta"
    )

    assert here.get("/users").status_code == 200
    assert elsewhere.get("/users").status_code == 302


def test_disabling_a_user_or_setting_his_password_ends_his_sessions_at_once(app: Flask) -> None:
    admin = Browser(app).logged_in("ada")
    olga, vera = Browser(app).logged_in("olga"), Browser(app).logged_in("vera")
    admin.get("/users")

    assert admin.post("/users/disable", username="olga").status_code == 303
    assert admin.post("/users/password", username="vera", new_password="mesa y silla 7").status_code == 303
    assert olga.get("/inventory").status_code == 302
    assert vera.get("/inventory").status_code == 302
    assert Browser(app).log_in("olga", PASSWORD).status_code == 422
    assert Browser(app).log_in("vera", "mesa y silla 7").status_code == 303


def test_a_session_ends_after_hours_without_a_request_and_not_before(lend_app: Callable[..., Flask]) -> None:
    app = lend_app(session_hours=2)
    with time_machine.travel(0, tick=False) as clock:
        browser = Browser(app).logged_in("vera")
        for _ in range(3):
            clock.shift(timedelta(minutes=90))
            assert browser.get("/inventory").status_code == 200
        clock.shift(timedelta(minutes=121))

        assert browser.get("/inventory").status_code == 302


def test_a_session_ends_at_its_absolute_limit_however_much_it_is_used(lend_app: Callable[..., Flask]) -> None:
    app = lend_app(session_hours=2, session_max_hours=5)
    with time_machine.travel(0, tick=False) as clock:
        browser = Browser(app).logged_in("vera")
        for _ in range(3):
            clock.shift(timedelta(minutes=90))
            assert browser.get("/inventory").status_code == 200
        clock.shift(timedelta(minutes=31))

        assert browser.get("/inventory").status_code == 302


def test_the_database_knows_no_token_that_would_log_anybody_in(inventory: Inventory) -> None:
    token = authentication.log_in(inventory, name="ada", password=PASSWORD, address="192.0.2.1", idle=IDLE)
    assert token is not None
    with inventory.sessions.reader() as session:
        stored = session.scalars(select(col(UserSession.id))).all()

    assert stored == [authentication.session_id(token)]
    assert authentication.find_account(inventory, stored[0], idle=IDLE, address="192.0.2.1") is None
    account = authentication.find_account(inventory, token, idle=IDLE, address="192.0.2.1")
    assert account is not None
    assert (account.name, account.role) == ("ada", Role.ADMIN)


def test_a_login_does_not_carry_over_what_the_browser_had_before(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/login")
    planted = browser.token
    browser.logged_in("ada")

    assert browser.post("/logout", token=planted).status_code == 400
    assert browser.get("/users").status_code == 200


def test_someone_logged_in_does_not_see_the_login_again(app: Flask) -> None:
    assert Browser(app).logged_in("ada").get("/login").location == "/"
