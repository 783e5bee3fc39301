"""The language of the command line: ``LC_ALL``, then ``LANG``, then ``INVENTORY_LANGUAGE``. Imports nothing heavy."""

import copy
import os
from collections.abc import Callable
from functools import cache, update_wrapper
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from babel.support import NullTranslations

SOURCE_LANGUAGE = "es"
LANGUAGES = (SOURCE_LANGUAGE, "en")


def N_(text: str) -> str:  # noqa: N802 - the name that the tools of gettext know
    """Mark a text for the catalogue; ``localize`` translates it."""
    return text


def command_language() -> str:
    """Return the language of the first variable that names one of ours; ``C`` and ``POSIX`` are skipped."""
    values = (os.environ.get(name, "") for name in ("LC_ALL", "LANG", "INVENTORY_LANGUAGE"))
    chosen = (value.partition(".")[0].partition("_")[0].lower() for value in values)
    return next((language for language in chosen if language in LANGUAGES), SOURCE_LANGUAGE)


def localize(command: click.Command, language: str) -> click.Command:
    """Return a copy of the command, with its subcommands, whose help and output are in this language."""
    translate = _translator(language)
    clone = copy.copy(command)
    clone.help = clone.short_help = translate(command.help or "")
    clone.params = [_localize_parameter(parameter, translate) for parameter in command.params]
    if isinstance(clone, click.Group):
        clone.commands = {name: localize(each, language) for name, each in clone.commands.items()}
    elif command.callback is not None:
        clone.callback = _in_language(command.callback, language)
    return clone


def _localize_parameter(parameter: click.Parameter, translate: Callable[[str], str]) -> click.Parameter:
    clone = copy.copy(parameter)
    if isinstance(clone, click.Option):
        clone.help = translate(clone.help or "")
    if clone.metavar:
        clone.metavar = translate(clone.metavar)
    return clone


def _in_language(callback: Callable[..., Any], language: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        from inventory_web.i18n.languages import translation_context  # noqa: PLC0415 - help works without Flask

        with translation_context(language):
            return callback(*args, **kwargs)

    return update_wrapper(call, callback)


@cache
def _translator(language: str) -> Callable[[str], str]:
    if language == SOURCE_LANGUAGE:
        return str
    from inventory_web.i18n.catalogues import BUILT_IN, read_catalogues  # noqa: PLC0415 - Spanish works without Babel

    catalogue: NullTranslations = read_catalogues(language, [BUILT_IN])
    return lambda text: catalogue.gettext(text) if text else text
