"""What is wrong with a command line, in the language of the person."""

import click
from flask_babel import gettext


def usage_text(error: click.UsageError) -> str:
    """One sentence, told from what the error holds and not from its English words."""
    match error:
        case click.NoSuchOption():
            return gettext("No existe la opción %(name)s.", name=error.option_name)
        case click.NoSuchCommand():
            return gettext("No existe la orden «%(name)s».", name=error.command_name)
        case click.MissingParameter():
            return gettext("Falta %(name)s.", name=_name(error))
        case click.BadParameter():
            return gettext("Valor no válido para %(name)s: %(reason)s.", name=_name(error), reason=_reason(error))
        case click.BadOptionUsage():
            return gettext(
                "La opción %(name)s está mal escrita: o le falta su valor, o no lleva.", name=error.option_name
            )
        case _:
            return error.message.rstrip(".") + "."


def _name(error: click.BadParameter) -> str:
    return error.param.get_error_hint(error.ctx).strip("'") if error.param and error.ctx else str(error.param_hint)


def _reason(error: click.BadParameter) -> str:
    match error.param.type if error.param else None:
        case click.Choice() as choice:
            return gettext("elija uno de %(values)s", values=", ".join(map(str, choice.choices)))
        case click.IntRange() as span:
            return gettext(
                "escriba un número entero entre %(smallest)s y %(largest)s", smallest=span.min, largest=span.max
            )
        case _:
            return error.message.rstrip(".")
