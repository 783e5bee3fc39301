"""The words of the command line itself, its help among them, in the language of the person; nothing heavy is imported."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from babel.support import NullTranslations


def N_(text: str) -> str:  # noqa: N802 - the name by which gettext's tools know it
    """Mark a text for the catalogue; ``told`` translates it when it is shown."""
    return text


def chosen_language() -> str:
    """``INVENTORY_LANGUAGE``, or Spanish. The settings say it too, and refuse a wrong one; help does not wait for them."""
    return "en" if os.environ.get("INVENTORY_LANGUAGE") == "en" else "es"


def told(text: str) -> str:
    """The text in the language of the person."""
    language = chosen_language()
    return text if language == "es" else _catalogue(language).gettext(text)


@cache
def _catalogue(language: str) -> "NullTranslations":
    from inventory_web.i18n.catalogues import BUILT_IN, read_catalogues  # noqa: PLC0415 - Spanish does without

    return read_catalogues(language, [BUILT_IN])


class ReadableFile(click.Path):
    """A file that exists and can be read."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the path, or refuse it with its name."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(told(N_("no se puede leer el archivo «%(file)s»")) % {"file": value}, param, ctx)


class Option(click.Option):
    """An option whose help is translated when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The spelling of the option, and what it is for."""
        notes = self.get_help_extra(ctx)
        told_notes = []
        if "default" in notes:
            told_notes.append(told(N_("por defecto: %(value)s")) % {"value": notes["default"]})
        if "required" in notes:
            told_notes.append(told(N_("obligatoria")))
        return self.get_help_spec(ctx), "  ".join(
            [told(self.help or ""), *([f"[{'; '.join(told_notes)}]"] if told_notes else [])]
        )

    def make_metavar(self, ctx: click.Context) -> str:
        """The word for the value, such as FILE."""
        return told(super().make_metavar(ctx))


class ToldCommand(click.Command):
    """Its help is translated when it is shown."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option that shows the help."""
        return _told_help(super().get_help_option(ctx))

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first line of the help."""
        _write_usage(self, ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command or group is for."""
        del ctx
        _write_text(self, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:
        """What the command or group is for, for the list of commands."""
        del limit
        return told(self.help or "")


class Command(ToldCommand):
    """A command that speaks the language of the person, in its help and while it works."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; what is too much is refused here, in the language of the person."""
        rest = super().parse_args(ctx, args)
        if rest:
            ctx.fail(told(N_("sobra: %(words)s")) % {"words": " ".join(rest)})
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Carry the command out."""
        from inventory_web.i18n.languages import translation_context  # noqa: PLC0415 - help does without

        with translation_context(chosen_language()):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        _write_options(self, ctx, formatter)


class Group(ToldCommand, click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; without any, the help is the answer, and the usage is wrong."""
        if not args:
            click.echo(self.get_help(ctx), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        _write_options(self, ctx, formatter)
        commands = [(name, command) for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))]
        with formatter.section(told(N_("Órdenes"))):
            formatter.write_dl([(name, command.get_short_help_str()) for name, command in commands])


def _told_help(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = told(N_("Muestra esta ayuda y termina."))
    return option


def _write_usage(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    words = {"[OPTIONS]": N_("[OPCIONES]"), "COMMAND [ARGS]...": N_("ORDEN [ARGUMENTOS]...")}
    pieces = [told(words.get(piece, piece)) for piece in command.collect_usage_pieces(ctx)]
    formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=told(N_("Uso:")) + " ")


def _write_text(command: click.Command, formatter: click.HelpFormatter) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(told(command.help or ""))


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    records = [param.get_help_record(ctx) for param in command.get_params(ctx) if isinstance(param, click.Option)]
    with formatter.section(told(N_("Opciones"))):
        formatter.write_dl([record for record in records if record is not None])
