"""How long work tells of itself."""

import math

from flask_babel import format_decimal, gettext, ngettext

from inventory_web.language import the_language
from inventory_web.long_work.states import Job, State
from inventory_web.messages import number

COLOURS = {
    State.WAITING: "secondary",
    State.WORKING: "blue",
    State.READY: "azure",
    State.DONE: "green",
    State.REFUSED: "red",
    State.FAILED: "red",
    State.CANCELLED: "secondary",
    State.UNDONE: "secondary",
}
SECONDS_OF_A_MINUTE = 60
MINUTES_OF_AN_HOUR = 60
MOST_MINUTES = 90
"""Longer times are told in hours."""


def way_text(job: Job) -> str:
    """Where a job stands that is under way, in a few words; empty if it is not."""
    if job.cancelling:
        return gettext("Cancelando")
    if job.interrupted:
        return gettext("Interrumpido: se retoma solo")
    return gettext("En espera") if job.state is State.WAITING else ""


def colour_of(job: Job) -> str:
    """The colour name in the style sheet's classes."""
    return "orange" if job.interrupted else COLOURS[job.state]


def remaining_text(seconds: float | None) -> str:
    """How long it will still take, so roughly that it can be true."""
    if seconds is None:
        return gettext("Calculando cuánto falta")
    if seconds < SECONDS_OF_A_MINUTE:
        return gettext("Falta menos de un minuto")
    minutes = math.ceil(seconds / SECONDS_OF_A_MINUTE)
    if minutes <= MOST_MINUTES:
        return ngettext("Falta %(number)s minuto", "Faltan %(number)s minutos", minutes, number=number(minutes))
    hours = round(minutes / MINUTES_OF_AN_HOUR)
    return ngettext("Falta %(number)s hora", "Faltan %(number)s horas", hours, number=number(hours))


def size_text(size: int) -> str:
    """The size of a file, as people of the language write it."""
    megabytes = size / 1_000_000
    return gettext("%(number)s MB", number=format_decimal(max(megabytes, 0.1), "#,##0.0"))


def stage_text(stage: str) -> str:
    """What a worker is doing right now."""
    texts = {
        "reading": gettext("Leyendo el archivo"),
        "checking": gettext("Comprobando las filas"),
        "writing": gettext("Guardando las filas"),
        "collecting": gettext("Escribiendo las filas"),
        "keeping": gettext("Guardando el archivo"),
        "undoing": gettext("Deshaciendo los cambios"),
    }
    return texts.get(stage, gettext("Un momento…"))


def failed_text(job: Job) -> str:
    """Why the job could not be carried out; it was written down in every language."""
    messages = job.result.get("messages", {})
    return str(messages.get(the_language()) or gettext("Algo falló en el programa."))
