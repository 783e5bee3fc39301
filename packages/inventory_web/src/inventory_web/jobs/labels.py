"""Labels of jobs: state, colour, stage, remaining time and size."""

import math

from flask_babel import format_decimal, gettext, lazy_gettext, ngettext

from inventory_web.i18n.labels import format_number
from inventory_web.i18n.languages import current_language
from inventory_web.jobs.models import Job, JobState

STATE_COLOURS = {
    JobState.WAITING: "secondary",
    JobState.WORKING: "blue",
    JobState.READY: "azure",
    JobState.DONE: "green",
    JobState.REFUSED: "red",
    JobState.FAILED: "red",
    JobState.CANCELLED: "secondary",
    JobState.UNDONE: "secondary",
}
SECONDS_OF_A_MINUTE = 60
MINUTES_OF_AN_HOUR = 60
MOST_MINUTES = 90
"""Longer times are shown in hours."""
STAGE_LABELS = {
    "reading": lazy_gettext("Leyendo el archivo"),
    "checking": lazy_gettext("Comprobando las filas"),
    "writing": lazy_gettext("Guardando las filas"),
    "collecting": lazy_gettext("Escribiendo las filas"),
    "keeping": lazy_gettext("Guardando el archivo"),
    "undoing": lazy_gettext("Deshaciendo los cambios"),
}


def progress_state_text(job: Job) -> str:
    """Return the state of an active job in a few words; empty if it is over."""
    if job.cancelling:
        return gettext("Cancelando")
    if job.interrupted:
        return gettext("Interrumpido: se retoma solo")
    return gettext("En espera") if job.state is JobState.WAITING else ""


def job_colour(job: Job) -> str:
    """Return the colour name in the style sheet's classes."""
    return "orange" if job.interrupted else STATE_COLOURS[job.state]


def remaining_text(seconds: float | None) -> str:
    """Return the remaining time, roughly."""
    if seconds is None:
        return gettext("Calculando cuánto falta")
    if seconds < SECONDS_OF_A_MINUTE:
        return gettext("Falta menos de un minuto")
    minutes = math.ceil(seconds / SECONDS_OF_A_MINUTE)
    if minutes <= MOST_MINUTES:
        return ngettext("Falta %(number)s minuto", "Faltan %(number)s minutos", minutes, number=format_number(minutes))
    hours = round(minutes / MINUTES_OF_AN_HOUR)
    return ngettext("Falta %(number)s hora", "Faltan %(number)s horas", hours, number=format_number(hours))


def size_text(size: int) -> str:
    """Return the size of a file in the notation of the language."""
    megabytes = size / 1_000_000
    return gettext("%(number)s MB", number=format_decimal(max(megabytes, 0.1), "#,##0.0"))


def stage_text(stage: str) -> str:
    """Return what a worker is doing now."""
    return str(STAGE_LABELS.get(stage) or gettext("Un momento…"))


def failed_text(job: Job) -> str:
    """Return why the job failed; the message is stored in every language."""
    messages = job.result.get("messages", {})
    return str(messages.get(current_language()) or gettext("Algo falló en el programa."))
