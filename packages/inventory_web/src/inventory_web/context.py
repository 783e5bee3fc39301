"""What the current request works with. For views only: everything below takes its arguments."""

import uuid
from dataclasses import dataclass
from typing import cast

from flask import current_app, g, request
from pluggy import PluginManager

from inventory_core import Inventory
from inventory_web.auth.roles import Role
from inventory_web.hookspecs import MenuEntry, ProductColumn
from inventory_web.settings import Settings

EXTENSION = "inventory"


@dataclass(frozen=True, slots=True)
class AppState:
    """What one application holds on to."""

    settings: Settings
    inventory: Inventory
    hooks: PluginManager
    menu: tuple[MenuEntry, ...]
    product_columns: tuple[ProductColumn, ...]


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The person behind the request.

    ``provisional``: the password was not chosen by that person. ``language``, ``theme``: those that the person chose, if
    any. ``second_factor``: whether logins of the account ask for a code.
    """

    id: int
    name: str
    role: Role
    provisional: bool
    session_id: str
    language: str | None = None
    theme: str | None = None
    second_factor: bool = False

    def may(self, role: Role) -> bool:
        """Whether the account has at least this role."""
        return self.role >= role


def app_state() -> AppState:
    """What the application of this request holds on to."""
    return cast("AppState", current_app.extensions[EXTENSION])


def current_inventory() -> Inventory:
    """The inventory of this application, for use cases."""
    return app_state().inventory


def current_settings() -> Settings:
    """The settings of this application."""
    return app_state().settings


def current_user() -> CurrentUser | None:
    """Who is logged in, or None; never asks the database."""
    return cast("CurrentUser | None", g.get("account"))


def require_user() -> CurrentUser:
    """Who is logged in, in a view that asks for a role; the guard has let nobody else in."""
    account = current_user()
    if account is None:
        raise LookupError("the view is public: nobody need be logged in")
    return account


def current_actor() -> str:
    """The name to write into movements."""
    account = current_user()
    return account.name if account else ""


def may(role: Role) -> bool:
    """Whether the person behind the request has at least this role."""
    account = current_user()
    return account is not None and account.may(role)


def new_operation() -> str:
    """An operation id to render into a form."""
    return uuid.uuid4().hex


def current_operation() -> str:
    """The operation id of this request: field ``operation``, header ``Idempotency-Key``, or a new one that the request keeps."""
    given = request.form.get("operation", "") or request.headers.get("Idempotency-Key", "")
    if not given:
        given = g.get("operation") or new_operation()
    g.operation = given
    return given
