"""Jobs: their states and labels, and what they keep of the request that submitted them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import request
from flask_babel import format_decimal, get_locale, gettext, lazy_gettext, ngettext

from inventory_web.audit.log import Author
from inventory_web.context import REQUEST_ID, current_actor, current_inventory
from inventory_web.db.replicas import current_token, require_token
from inventory_web.i18n.catalogues import SOURCE_LANGUAGE
from inventory_web.i18n.labels import format_number
from inventory_web.i18n.languages import current_language


class JobState(StrEnum):
    """The state of a job: ``WAITING`` for a worker, ``WORKING`` with one, ``READY`` for a user's decision, or over."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


ACTIVE_STATES = (JobState.WAITING, JobState.WORKING)
REPEATABLE_STATES = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    ``size`` is that of its file in bytes, ``remaining`` a time in seconds (None: not known yet). ``interrupted``: its
    worker is silent. ``cancelling``: a user requested to cancel it. ``kept``: its file is not purged yet.
    """

    id: str
    kind: str
    step: str
    title: str
    request: Mapping[str, Any]
    actor: str
    state: JobState
    created_at: datetime
    size: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    remaining: float | None = None
    outcome: Mapping[str, Any] | None = None
    attempts: int = 0
    interrupted: bool = False
    cancelling: bool = False
    kept: bool = True

    @property
    def under_way(self) -> bool:
        """Return whether it continues without a user, now or when a worker is free."""
        return self.state in ACTIVE_STATES

    @property
    def result(self) -> Mapping[str, Any]:
        """Return its outcome; empty while there is none."""
        return self.outcome or {}

    @property
    def percent(self) -> int | None:
        """Return the percentage of rows done; None if not known."""
        return min(100, self.done * 100 // self.total) if self.total else None


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


def request_origin() -> dict[str, str]:
    """Return the actor, language, address and request id of this request, and the causal token of what it has seen."""
    return {
        "by": current_actor(),
        "language": str(get_locale() or SOURCE_LANGUAGE),
        "address": request.remote_addr or "",
        "request_id": REQUEST_ID.get(),
        "token": current_token(current_inventory().sessions),
    }


def require_result_of(job: Job) -> None:
    """Require that this request, and the next ones of the same browser, see the result of the job.

    After a day every server has it, and its token is no longer valid.
    """
    if job.kept:
        require_token(current_inventory().sessions, str(job.result.get("token", "")))


def job_author(job: Job) -> Author:
    """Return the author of the last request to the job."""
    stored = job.request
    return Author(str(stored.get("by", job.actor)), str(stored.get("address", "")), str(stored.get("request_id", "")))
