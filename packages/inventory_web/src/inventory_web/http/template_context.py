"""Names that every template can use."""

import math
from importlib.metadata import version

from flask import Flask
from flask_babel import gettext, ngettext
from sqlalchemy.exc import SQLAlchemyError

from inventory_core import InventoryError, Status
from inventory_web import context
from inventory_web.db.replicas import ClusterStatus, replicated_status
from inventory_web.hookspecs import MenuEntry
from inventory_web.http import preferences, responses
from inventory_web.http.logs import get_logger
from inventory_web.i18n import labels, languages
from inventory_web.i18n.catalogues import LANGUAGES
from inventory_web.roles import Role

log = get_logger(__name__)


def init_app(app: Flask) -> None:
    """Add ``account``, ``menu``, ``may``, ``Role``, ``settings``, ``languages``, ``theme``, ``field_label`` and others."""

    def names() -> dict[str, object]:
        running = context.app_state()
        return {
            "account": context.current_user(),
            "menu": current_menu(),
            "settings": running.settings,
            "language": languages.current_language(),
            "theme": preferences.current_theme(),
            "database_notice": database_notice(replicated_status(running.inventory.sessions)),
        }

    app.context_processor(names)
    app.jinja_env.globals.update(
        Role=Role,
        languages=LANGUAGES,
        theme_texts=preferences.theme_texts,
        may=context.may,
        wants_fragment=responses.wants_fragment,
        app_version=version("inventory-web"),
        field_label=labels.field_label,
        quantity_labels=labels.quantity_labels,
        new_operation=context.new_operation,
        undo_offer=responses.undo_offer,
        menu_badges=menu_badges,
        statuses=tuple(Status),
        status_text=labels.status_text,
        status_colour=labels.status_colour,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def database_notice(status: ClusterStatus | None) -> str:
    """Return the notice about the state of the database for the top of the page; empty if all is well."""
    if status is None or status.source is not None:
        return ""
    known = [server.staleness_seconds for server in status.servers if server.staleness_seconds is not None]
    if not known:
        return gettext("Solo lectura: ahora mismo no se puede guardar nada.")
    seconds = math.ceil(min(known))
    return ngettext(
        "Solo lectura: ahora mismo no se puede guardar nada, y lo que ve puede tener hasta %(number)s segundo de retraso.",
        "Solo lectura: ahora mismo no se puede guardar nada, y lo que ve puede tener hasta %(number)s segundos de retraso.",
        seconds,
        number=labels.format_number(seconds),
    )


def current_menu() -> list[MenuEntry]:
    """Return the lines of the menu that the user may see."""
    account = context.current_user()
    return [entry for entry in context.app_state().menu if account and account.may(entry.role)]


def menu_badges() -> dict[str, str]:
    """Return the badge of each line of the menu that has one, by its endpoint."""
    return {entry.endpoint: _badge_of(entry) for entry in current_menu() if entry.badge}


def _badge_of(entry: MenuEntry) -> str:
    """Return the text of a badge; empty if it cannot be read, since error pages show the menu too."""
    try:
        return entry.badge() if entry.badge else ""
    except (InventoryError, SQLAlchemyError) as error:
        log.warning("badge", endpoint=entry.endpoint, error=str(error).splitlines()[0])
        return ""
