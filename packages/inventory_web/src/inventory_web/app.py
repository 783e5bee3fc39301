"""The application factory."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any

from flask import Flask, redirect, url_for
from werkzeug.wrappers import Response

from inventory_core import SessionSource
from inventory_web import context
from inventory_web.auth import access_control
from inventory_web.db import bootstrap, stored_changes
from inventory_web.http import assets, compression, error_pages, forms, logs, preferences, security, template_context
from inventory_web.http.urls import CodeConverter
from inventory_web.i18n import catalogues, languages
from inventory_web.jobs import outbox_relay, runner
from inventory_web.plugins import build_plugin_manager, register_blueprints
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings


def create_app(settings: Settings, *, sessions: SessionSource | None = None, plugins: Iterable[object] = ()) -> Flask:
    """Create an application; one process may have several.

    ``sessions`` is an open database whose schema the caller keeps current; without it, the settings name the database.
    ``plugins`` are objects with hooks of ``inventory_web.hookspecs`` or ``inventory_core.plugins``. Connects to nothing yet.
    Raises ``SettingsRefused``, ``StorageRefused``, ``ViewWithoutRole`` or ``pluggy.PluginValidationError``.
    """
    settings.require_safe()
    hooks = build_plugin_manager(settings, plugins)
    sessions = sessions or bootstrap.open_sessions(settings)
    app = Flask("inventory_web", static_folder=None)
    app.url_map.converters["code"] = CodeConverter
    security.configure(app, settings, bootstrap.secret_keys(settings))
    bootstrap.init_causal_tokens(app, settings, sessions)
    inventory = bootstrap.open_inventory(sessions, hooks)
    languages.init_app(
        app,
        catalogues.folders_of(inventory.plugins.get_plugins()),
        locale=partial(preferences.select_locale, settings.language),
        timezone=settings.timezone,
    )

    compression.init_app(app)
    logs.init_app(app, settings)
    security.check_host(app, settings)
    access_control.init_app(app)
    security.protect(app, settings)
    stored_changes.watch_commits()
    error_pages.init_app(app)

    runner.init_app(app)
    outbox_relay.init_app(app, inventory)
    assets.init_app(app)
    app.add_url_rule("/", "home", _home)
    register_blueprints(app, hooks)
    app.extensions[context.EXTENSION] = context.AppState(
        settings=settings,
        inventory=inventory,
        hooks=hooks,
        menu=_in_order(hooks.hook.menu_entries()),
        product_columns=_in_order(hooks.hook.product_columns()),
    )
    template_context.init_app(app)
    forms.init_app(app)
    return app


def _in_order(answers: Iterable[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(sorted(chain.from_iterable(answers), key=attrgetter("order")))


@requires(Role.VIEWER)
def _home() -> Response:
    return redirect(context.app_state().hooks.hook.first_page() or url_for("products.inventory"))
