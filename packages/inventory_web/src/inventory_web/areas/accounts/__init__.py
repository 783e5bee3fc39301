"""Accounts: login, second factors, roles, passwords, sessions, language, light or dark."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.areas.accounts import (
    account_views,
    language_views,
    login_views,
    profile_views,
    second_factor_views,
    theme_views,
)
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.roles import Role
from inventory_web.settings import Settings


class AccountsArea:
    """Login and logout, one's own pages, and the administrator's page of accounts."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        """The pages of login and of accounts."""
        blueprint = Blueprint("accounts", __name__, template_folder="templates")
        login_views.add_routes(blueprint)
        profile_views.add_routes(blueprint)
        second_factor_views.add_routes(blueprint)
        account_views.add_routes(blueprint)
        language_views.add_routes(blueprint)
        theme_views.add_routes(blueprint)
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        """The accounts, for administrators."""
        return [
            MenuEntry(
                lazy_gettext("Usuarios"), "accounts.accounts", icon="people", order=90, role=Role.ADMIN, more=True
            )
        ]
