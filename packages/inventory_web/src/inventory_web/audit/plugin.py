"""The plugin with the audit log, for administrators."""

from collections.abc import Sequence

from flask import Blueprint
from flask_babel import lazy_gettext

from inventory_web.audit import views
from inventory_web.hookspecs import MenuEntry, hookimpl
from inventory_web.roles import Role
from inventory_web.settings import Settings


class AuditPlugin:
    """The page of events and its CSV file. ``inventory_web.audit.log`` records the events."""

    def __init__(self, settings: Settings) -> None:
        del settings

    @hookimpl
    def blueprints(self) -> Sequence[Blueprint]:
        blueprint = Blueprint("audit", __name__, template_folder="templates")
        views.add_routes(blueprint)
        return [blueprint]

    @hookimpl
    def menu_entries(self) -> Sequence[MenuEntry]:
        entry = MenuEntry(
            lazy_gettext("Auditoría"), "audit.events", "shield-lock", order=95, role=Role.ADMIN, more=True
        )
        return [entry]
