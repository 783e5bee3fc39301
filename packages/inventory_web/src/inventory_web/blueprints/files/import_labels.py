"""Labels of imports: states, actions and faults."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext

from inventory_core import FileRefused
from inventory_web.i18n.error_messages import error_message, reason_message
from inventory_web.i18n.labels import format_number
from inventory_web.jobs.labels import job_colour, progress_state_text
from inventory_web.jobs.models import Job, JobState

COUNT_LABELS = {
    "created": lazy_gettext("Productos nuevos"),
    "updated": lazy_gettext("Productos cambiados"),
    "restored": lazy_gettext("Productos restaurados"),
    "retired": lazy_gettext("Productos eliminados"),
    "unchanged": lazy_gettext("Sin cambios"),
    "stock_changes": lazy_gettext("Cambios de cantidad"),
}


def state_text(job: Job) -> str:
    """Return the state of an import in a few words."""
    faulty = bool(job.result.get("faults_total"))
    texts = {
        JobState.WORKING: gettext("Leyendo el archivo") if job.step == "check" else gettext("Importando"),
        JobState.READY: gettext("Con errores") if faulty else gettext("Lista para importar"),
        JobState.REFUSED: gettext("Archivo rechazado"),
        JobState.DONE: gettext("Importada"),
        JobState.FAILED: gettext("No se pudo importar"),
        JobState.CANCELLED: gettext("Cancelada"),
        JobState.UNDONE: gettext("Deshecha"),
    }
    return progress_state_text(job) or texts[job.state]


def state_colour(job: Job) -> str:
    """Return the colour name in the style sheet's classes."""
    return "orange" if job.state is JobState.READY and job.result.get("faults_total") else job_colour(job)


def count_text(name: str) -> str:
    """Return the label of a count in the preview or the result."""
    return str(COUNT_LABELS.get(name, name))


def refused_text(outcome: Mapping[str, Any]) -> str:
    """Return why the file as a whole is refused."""
    if outcome.get("reason") == "gone":
        return gettext("El archivo ya no se guarda. Súbalo de nuevo.")
    return error_message(FileRefused(str(outcome.get("reason", "")), str(outcome.get("detail", ""))))


def row_fault_text(fault: Mapping[str, Any]) -> str:
    """Return the fault of one value of the file."""
    limit = fault["limit"]
    texts = {
        "duplicate": gettext("Está repetido: ya aparece en la fila %(row)s.", row=format_number(limit or 0)),
        "differs": gettext("No coincide con la fila %(row)s del mismo producto.", row=format_number(limit or 0)),
        "unknown": gettext("No hay ningún producto con ese código."),
        "retired": gettext("El producto está eliminado; restáurelo antes."),
        "refused": fault["value"],
        "error_cell": gettext("La celda muestra un error de la hoja de cálculo."),
        "too_many_cells": gettext(
            "La fila tiene más celdas que columnas hay en la cabecera (%(columns)s).", columns=limit
        ),
    }
    return str(texts.get(fault["reason"]) or reason_message(fault["reason"], fault["value"], limit))


def action_text(action: str) -> str:
    """Return the label of a row's action."""
    texts = {
        "create": gettext("Nuevo"),
        "update": gettext("Cambia"),
        "restore": gettext("Se restaura"),
        "retire": gettext("Se elimina"),
        "stock": gettext("Cantidad"),
    }
    return texts.get(action, action)
