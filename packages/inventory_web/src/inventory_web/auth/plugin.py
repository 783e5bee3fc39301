"""The plugin with the login and account pages."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.auth import account_views, login_views, profile_views, two_factor_views
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.roles import Role
from inventory_web.settings import Settings


class AccountsPlugin:
    """Login and logout, the pages of one's own account, and account administration."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        """Return the blueprint of login and accounts."""
        blueprint = Blueprint("accounts", __name__, template_folder="templates")
        login_views.add_routes(blueprint)
        profile_views.add_routes(blueprint)
        two_factor_views.add_routes(blueprint)
        account_views.add_routes(blueprint)
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        """Return the menu entry of the accounts, for administrators."""
        return [
            MenuEntry(
                lazy_gettext("Usuarios"), "accounts.accounts", icon="people", order=90, role=Role.ADMIN, more=True
            )
        ]
