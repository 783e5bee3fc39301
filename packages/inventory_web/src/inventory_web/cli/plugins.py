"""``plugins``."""

import json
import sys

import click
from flask_babel import gettext

from inventory_core import InstalledPlugin
from inventory_web.cli.language import command_language
from inventory_web.i18n.languages import translation_context
from inventory_web.plugins import load_plugins
from inventory_web.settings import Settings


def show(*, as_json: bool) -> None:
    """List the installed plugins; exit with 1 if one of them could not be loaded. Does not open the database."""
    settings = Settings.from_environment()
    found = load_plugins(settings)
    if as_json:
        click.echo(json.dumps({"plugins": [plugin.as_dict() for plugin in found]}, ensure_ascii=False))
    else:
        with translation_context(command_language()):
            for plugin in found:
                click.echo("\t".join((plugin.name, plugin.package, _state(plugin))))
            if not found:
                click.echo(gettext("No hay complementos instalados."))
    if any(plugin.error for plugin in found):
        sys.exit(1)


def _state(plugin: InstalledPlugin) -> str:
    if plugin.off:
        return gettext("desactivado con INVENTORY_PLUGINS_OFF")
    if plugin.error:
        return gettext("no se pudo cargar: %(reason)s", reason=plugin.error)
    return ", ".join(plugin.hooks) or gettext("no amplía nada")
