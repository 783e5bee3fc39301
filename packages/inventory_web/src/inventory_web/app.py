"""The application factory."""

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from flask import Flask, redirect, url_for
from werkzeug.wrappers import Response

from inventory_core import SessionSource
from inventory_web import (
    assets,
    catalogues,
    composition,
    compression,
    current,
    error_pages,
    language,
    outbox_relay,
    pages,
    reading_again,
    security,
    stored_changes,
    tracing,
    waiting_forms,
)
from inventory_web.areas.accounts import guard
from inventory_web.codes_in_urls import CodeConverter
from inventory_web.jobs import runner
from inventory_web.plugins import build_plugin_manager, register_blueprints
from inventory_web.roles import Role, requires
from inventory_web.settings import Settings


def create_app(settings: Settings, *, sessions: SessionSource | None = None, plugins: Iterable[object] = ()) -> Flask:
    """Make an application; several may live in one process.

    ``sessions`` is an already opened database, whose schema the caller keeps current; without it the settings say which
    one to open. ``plugins`` are objects with hooks of ``inventory_web.hookspecs`` or ``inventory_core.plugins``.
    Nothing is connected yet. Raises ``SettingsRefused``, ``StorageRefused``, ``ViewWithoutRole`` or
    ``pluggy.PluginValidationError``.
    """
    settings.require_safe()
    hooks = build_plugin_manager(settings, plugins)
    sessions = sessions or composition.open_sessions(settings)
    app = Flask("inventory_web", static_folder=None)
    app.url_map.converters["code"] = CodeConverter
    security.configure(app, settings, composition.secret_keys(settings))
    composition.carry_tokens(app, settings, sessions)
    inventory = composition.open_inventory(sessions, hooks)
    language.set_up(app, settings, catalogues.folders_of(inventory.plugins.get_plugins()))

    compression.compress_pages(app)
    tracing.follow(app, settings)
    security.check_host(app, settings)
    guard.watch(app)
    security.protect(app, settings)
    stored_changes.watch_commits()
    error_pages.register(app)
    reading_again.read_lost_pages_again(app)

    runner.init_app(app)
    outbox_relay.set_up(app, inventory)
    assets.register(app)
    app.add_url_rule("/", "home", _home)
    register_blueprints(app, hooks)
    app.extensions[current.EXTENSION] = current.Running(
        settings=settings,
        inventory=inventory,
        hooks=hooks,
        menu=_in_order(hooks.hook.menu_entries()),
        product_columns=_in_order(hooks.hook.product_columns()),
    )
    pages.give_names_to_templates(app)
    waiting_forms.let_forms_wait(app)
    return app


def _in_order(answers: Iterable[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(sorted(chain.from_iterable(answers), key=attrgetter("order")))


@requires(Role.VIEWER)
def _home() -> Response:
    return redirect(current.running().hooks.hook.first_page() or url_for("products.inventory"))
