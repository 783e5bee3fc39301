"""The administrator's page of accounts."""

from collections.abc import Callable

import pytest
from flask import Flask

from inventory_core import Inventory, SingleDatabase
from inventory_web.auth import users
from inventory_web.errors import AccountNotFound, AccountRefused
from inventory_web.roles import Role
from tests.web.browser import PASSWORD, Browser

COMMON = (
    "password12", "1234567890", "admin12345", "qwertyuiop", "P@ssw0rd123", "inventario2026", "contraseña1", "evaevaeva1",
)  # fmt: skip


@pytest.fixture
def admin(app: Flask) -> Browser:
    browser = Browser(app).logged_in("ada")
    browser.get("/users")
    return browser


def roles(inventory: Inventory) -> dict[str, str]:
    return {row.name: row.role.word for row in users.list_accounts(inventory)}


def test_an_added_account_can_log_in_and_must_choose_a_password(admin: Browser, app: Flask) -> None:
    answer = admin.post("/users", username="  Íñigo  Ruiz ", role="operator", password="mesa y silla 7")

    assert answer.status_code == 303
    assert "Íñigo Ruiz" in admin.get("/users").text
    inigo = Browser(app).logged_in("íñigo ruiz", "mesa y silla 7")
    assert "Cámbiela ahora" in inigo.get("/inventory").text
    assert "Su contraseña es provisional" in inigo.get("/account/password").text


@pytest.mark.parametrize(("name", "mixed"), [("аdmin", True), ("Íñigo Núñez 2", False), ("администратор", False)])  # noqa: RUF001
def test_a_user_name_of_several_scripts_is_made_with_a_warning(admin: Browser, name: str, *, mixed: bool) -> None:
    admin.post("/users", username=name, role="viewer", password="una provisional")
    made = admin.get("/users").text

    assert name in made
    assert ("mezcla letras de varios alfabetos" in made) is mixed
    assert ("Letras de varios alfabetos" in made) is mixed


@pytest.mark.parametrize(
    ("name", "role", "password", "says"),
    [
        ("", "viewer", "una provisional", "Este dato es obligatorio."),
        ("ADA", "viewer", "una provisional", "Ya existe: «ADA»"),
        ("x" * 41, "viewer", "una provisional", "40 caracteres como máximo"),
        ("eva\x07", "viewer", "una provisional", "caracteres de control"),
        ("ad\u200bmin", "viewer", "una provisional", "caracteres invisibles (U+200B)"),
        ("eva", "chief", "una provisional", "No existe: «chief»"),
        ("eva", "viewer", "corta", "10 caracteres como mínimo"),
        *(("eva", "viewer", common, "fácil de adivinar") for common in COMMON),
        ("evaristo.ruiz", "viewer", "Evaristo.Ruiz", "fácil de adivinar"),
    ],
)
def test_an_account_that_will_not_do_is_refused_next_to_its_field(
    admin: Browser, inventory: Inventory, name: str, role: str, password: str, says: str
) -> None:
    before = roles(inventory)
    answer = admin.post("/users", username=name, role=role, password=password)

    assert answer.status_code == 422
    assert says in answer.text
    assert password not in answer.text.replace(name, "")
    assert roles(inventory) == before


def test_a_name_is_shown_as_text_whatever_it_holds(admin: Browser) -> None:
    admin.post("/users", username="<b>'; DROP TABLE user;--", role="viewer", password="una provisional")
    page = admin.get("/users").text

    assert "&lt;b&gt;&#39;; DROP TABLE user;--" in page
    assert "<b>" not in page


def test_a_role_is_changed_and_holds_at_the_next_request(admin: Browser, app: Flask, inventory: Inventory) -> None:
    vera = Browser(app).logged_in("vera")

    assert vera.get("/users").status_code == 403
    assert admin.post("/users/role", username="vera", role="admin").status_code == 303
    assert vera.get("/users").status_code == 200
    assert roles(inventory)["vera"] == "admin"


def test_a_disabled_account_can_be_enabled_again(admin: Browser, app: Flask) -> None:
    admin.post("/users/disable", username="vera")

    assert Browser(app).log_in("vera", PASSWORD).status_code == 422
    assert "Desactivado" in admin.get("/users").text

    admin.post("/users/enable", username="vera")

    assert Browser(app).log_in("vera", PASSWORD).status_code == 303


def test_the_last_administrator_stays_one(admin: Browser, inventory: Inventory) -> None:
    users.disable_account(inventory, name="admin")
    refused = [
        admin.post("/users/disable", username="ada"),
        admin.post("/users/role", username="ada", role="viewer"),
    ]

    assert [answer.status_code for answer in refused] == [422, 422]
    assert all("último administrador" in answer.text for answer in refused)
    assert roles(inventory)["ada"] == "admin"


def test_an_unknown_account_is_not_found(admin: Browser) -> None:
    assert admin.post("/users/disable", username="nadie").status_code == 404


def test_disabling_twice_is_the_same_as_once(inventory: Inventory) -> None:
    users.disable_account(inventory, name="vera")
    first = users.list_accounts(inventory)
    users.disable_account(inventory, name="VERA")

    assert users.list_accounts(inventory) == first


def test_every_change_of_an_account_names_one_that_exists(inventory: Inventory) -> None:
    changes: list[Callable[[], None]] = [
        lambda: users.set_role(inventory, name="nadie", role=Role.VIEWER),
        lambda: users.set_password(inventory, name="nadie", password=PASSWORD),
        lambda: users.disable_account(inventory, name="nadie"),
        lambda: users.enable_account(inventory, name="nadie"),
    ]
    for change in changes:
        with pytest.raises(AccountNotFound, match="nadie"):
            change()


def test_the_same_name_at_the_same_instant_is_refused_and_never_a_crash(file: str, inventory: Inventory) -> None:
    other = SingleDatabase.from_url(f"sqlite:///{file}")
    try:
        users.add_account(Inventory(other), name="eva", role=Role.VIEWER, password=PASSWORD)
        with pytest.raises(AccountRefused) as refused:
            users.add_account(inventory, name="Eva", role=Role.ADMIN, password=PASSWORD)
    finally:
        other.close()

    assert [(fault.field, fault.reason) for fault in refused.value.faults] == [("username", "duplicate")]
