"""Errors of commands: one line on standard error, with the error's code."""

import traceback

import click
from flask_babel import gettext

from inventory_core import InventoryError
from inventory_web.cli.language import command_language
from inventory_web.errors import SettingsRefused, WebError, code_of
from inventory_web.http.logs import get_logger
from inventory_web.i18n.error_messages import error_message
from inventory_web.i18n.languages import translation_context


def report_error(error: Exception) -> int:
    """Write the error and return the exit code."""
    with translation_context(command_language()):
        _report(error)
    return 1


def report_usage(error: click.UsageError) -> int:
    """Write what is wrong with the command line, and the command whose help explains it; return the exit code."""
    path = error.ctx.command_path if error.ctx else "inventory"
    with translation_context(command_language()):
        _line("WEB-006", f"{error.format_message()} ({path} --help)")
    return 2


def report_interrupt() -> int:
    """Write that the user or the system ended the command; return the exit code."""
    click.echo(err=True)
    with translation_context(command_language()):
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
