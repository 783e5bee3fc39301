"""How a command ends that could not do its work: one line on standard error, with the error's code."""

import traceback

import click
from flask_babel import gettext

from inventory_core import InventoryError
from inventory_web.cli_words import chosen_language
from inventory_web.commands.usage import usage_text
from inventory_web.errors import SettingsRefused, WebError, code_of
from inventory_web.i18n.error_messages import error_message
from inventory_web.i18n.languages import translation_context
from inventory_web.logs import get_logger


def report(error: Exception) -> int:
    """Write the line and give the exit code."""
    with translation_context(chosen_language()):
        _report(error)
    return 1


def wrong_usage(error: click.UsageError) -> int:
    """Say what is wrong with the command line and whose help says it right; give the exit code."""
    path = error.ctx.command_path if error.ctx else "inventory"
    with translation_context(chosen_language()):
        _line("WEB-006", f"{usage_text(error)} ({path} --help)")
    return 2


def interrupted() -> int:
    """Say that the person, or the system, ended the command."""
    click.echo(err=True)
    with translation_context(chosen_language()):
        _line("WEB-008", gettext("Interrumpido: lo que no había terminado se ha anulado."))
    return 1


def _report(error: Exception) -> None:
    match error:
        case click.ClickException():
            _line("WEB-006", error.format_message())
        case SettingsRefused():
            for line in error.lines:
                _line(error.code, line)
        case InventoryError() | WebError():
            _line(code_of(error), error_message(error))
        case OSError() if error.filename:
            _line("WEB-007", f"{error.filename}: {error.strerror}")
        case _:
            get_logger(__name__).debug("crash", exc_info=error)
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            first = (str(error).splitlines() or [""])[0]
            _line(
                "WEB-500",
                gettext("Error inesperado del programa: %(what)s", what=f"{type(error).__name__}: {first} ({place})"),
            )


def _line(code: str, text: str) -> None:
    click.echo(f"inventory: {code}: {' '.join(text.split())}", err=True)
