"""The current request: its user, inventory, settings and operation id. For views only; other functions take arguments."""

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

from flask import current_app, g, request
from pluggy import PluginManager

from inventory_core import Inventory
from inventory_web.hookspecs import MenuEntry, ProductColumn
from inventory_web.roles import Role
from inventory_web.settings import Settings

EXTENSION = "inventory"
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current request, also in threads that copy its context and while the response streams."""
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True, slots=True)
class AppState:
    """The objects of one application."""

    settings: Settings
    inventory: Inventory
    hooks: PluginManager
    menu: tuple[MenuEntry, ...]
    product_columns: tuple[ProductColumn, ...]


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The user of the request.

    ``provisional``: an administrator chose the password. ``language``, ``theme``: the choices of the user, or None.
    ``second_factor``: whether logins of the account require a code.
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
        """Return whether the account has at least this role."""
        return self.role >= role


def app_state() -> AppState:
    """Return the objects of the current application."""
    return cast("AppState", current_app.extensions[EXTENSION])


def current_inventory() -> Inventory:
    """Return the inventory of the current application, with the sessions of this request."""
    inventory = cast("Inventory | None", g.get("inventory"))
    return app_state().inventory if inventory is None else inventory


def current_settings() -> Settings:
    """Return the settings of the current application."""
    return app_state().settings


def current_user() -> CurrentUser | None:
    """Return the logged-in user, or None; never queries the database."""
    return cast("CurrentUser | None", g.get("account"))


def require_user() -> CurrentUser:
    """Return the logged-in user, in a view that requires a role. Raises ``LookupError`` in a public view."""
    account = current_user()
    if account is None:
        raise LookupError("the view is public: there may be no logged-in user")
    return account


def current_actor() -> str:
    """Return the name that movements record."""
    account = current_user()
    return account.name if account else ""


def may(role: Role) -> bool:
    """Return whether the user of the request has at least this role."""
    account = current_user()
    return account is not None and account.may(role)


def new_operation() -> str:
    """Return a new operation id for a form."""
    return uuid.uuid4().hex


def current_operation() -> str:
    """Return the operation id of this request: field ``operation``, header ``Idempotency-Key``, or one new id for the request."""
    operation = request.form.get("operation", "") or request.headers.get("Idempotency-Key", "")
    if not operation:
        operation = g.get("operation") or new_operation()
    g.operation = operation
    return operation
