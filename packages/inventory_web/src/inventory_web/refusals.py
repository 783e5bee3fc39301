"""Texts for refusals: what happened and what to do, in Spanish; pages and command line share them."""

import re
from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext

import inventory_core as core
from inventory_core import IMPORT_LIMITS
from inventory_web import errors as web
from inventory_web.messages import faults_text, field_label, number, role_text


def refusal_text(error: core.InventoryError | web.WebError) -> str:
    """What happened and what to do about it, with every value that the error holds."""
    text = next((TEXTS[kind] for kind in type(error).__mro__ if kind in TEXTS), None)
    return text(error) if text else gettext("No se pudo completar la operación: %(reason)s", reason=str(error))


def _insufficient(error: core.InsufficientStock) -> str:
    return gettext(
        "No hay suficientes unidades de «%(code)s» en «%(location)s»: hay %(available)s y se piden %(requested)s.",
        code=error.product_code,
        location=error.location,
        available=number(error.available),
        requested=number(error.requested),
    )


def _quantity_limit(error: core.QuantityLimit) -> str:
    return gettext(
        "La cantidad de «%(code)s» pasaría del máximo de %(limit)s.",
        code=error.product_code,
        limit=number(error.limit),
    )


def _count_conflict(error: core.CountConflict) -> str:
    return gettext(
        "Otra persona cambió «%(code)s» mientras tanto: usted vio %(seen)s y ahora hay %(current)s. "
        "Revise la cantidad y decida de nuevo.",
        code=error.product_code,
        seen=number(error.expected),
        current=number(error.current),
    )


def _edit_conflict(error: core.EditConflict) -> str:
    return gettext(
        "Otra persona modificó «%(code)s» mientras tanto (versión %(current)s; usted vio la %(seen)s). "
        "Revise los datos actuales y decida de nuevo.",
        code=error.product_code,
        current=error.current_version,
        seen=error.expected_version,
    )


def _products_conflict(error: core.ProductsConflict) -> str:
    codes = ", ".join(product.code for product in error.products[:5])
    return gettext(
        "Otra persona modificó o eliminó mientras tanto: %(codes)s. No se ha cambiado ningún producto.",
        codes=codes if len(error.products) <= 5 else f"{codes}…",
    )


def _cannot_undo(error: core.CannotUndo) -> str:
    texts = {
        "already_undone": gettext("Ya está deshecho."),
        "is_undo": gettext("Es la anulación de otro movimiento y no se puede deshacer. Registre un movimiento nuevo."),
        "changed_nothing": gettext("No cambió ninguna cantidad: no hay nada que deshacer."),
        "edited_since": gettext(
            "«%(code)s» se modificó después, así que no se puede deshacer.", code=error.product_code
        ),
    }
    return texts.get(error.reason) or gettext("No se puede deshacer (%(reason)s).", reason=error.reason)


def _rows_refused(error: core.RowsRefused) -> str:
    return ngettext(
        "Hay %(number)s dato incorrecto en el archivo; no se ha importado nada.",
        "Hay %(number)s datos incorrectos en el archivo; no se ha importado nada.",
        error.total,
        number=number(error.total),
    )


def _schema_not_current(error: core.SchemaNotCurrent) -> str:
    if error.newer:
        return gettext(
            "La base de datos es de una versión más nueva del programa (tiene %(found)s, este conoce %(wanted)s). "
            "Instale la versión nueva.",
            found=error.found,
            wanted=error.wanted,
        )
    return gettext(
        "El esquema de la base de datos no es el de este programa (tiene %(found)s, hace falta %(wanted)s). "
        "Ejecute: inventory migrate",
        found=error.found or gettext("ninguno"),
        wanted=error.wanted,
    )


def _storage_refused(error: core.StorageRefused) -> str:
    """The core says it in English; what it says about a file is known, what a server says stays as it is."""
    known = {
        r"the folder (.+) does not exist;.*": gettext("la carpeta %(file)s no existe; créela o elija otro lugar"),
        r"(the SQLite of this Python) was built without.*": gettext(
            "el SQLite de este Python no tiene FTS5, que hace falta para buscar; use otro Python"
        ),
        r"(.+) or its folder is read-only;.*": gettext(
            "%(file)s o su carpeta es de solo lectura; permita escribir en ambos"
        ),
        r"the disk of (.+) reports an error": gettext("el disco de %(file)s comunica un error"),
        r"the disk of (.+) is full;.*": gettext("el disco de %(file)s está lleno; libere espacio"),
        r"(.+) cannot be opened;.*": gettext(
            "no se puede abrir %(file)s; compruebe que existe su carpeta y los permisos"
        ),
        r"(.+) is damaged;.*": gettext("%(file)s está dañado; restaure una copia de seguridad"),
        r"(.+) is not an SQLite database;.*": gettext("%(file)s no es una base de datos SQLite; elija otro archivo"),
    }
    for pattern, text in known.items():
        if match := re.fullmatch(pattern, error.detail):
            return gettext("No se puede usar la base de datos: %(detail)s.", detail=text % {"file": match[1]})
    return gettext("No se puede usar la base de datos: %(detail)s.", detail=error.detail.rstrip("."))


def _cluster_refused(error: web.ClusterRefused) -> str:
    known = {
        "REP-002": gettext(
            "Ahora mismo no se puede guardar: el servidor que recibe los cambios no responde. No se ha cambiado nada. "
            "Lo que ya estaba guardado se puede consultar; repita la operación dentro de unos segundos."
        ),
        "REP-003": gettext("Ningún servidor puede mostrar datos lo bastante recientes. Espere unos segundos y repita."),
        "REP-004": gettext(
            "Su último cambio está guardado, pero todavía no se puede mostrar. Espere unos segundos y vuelva a cargar la página."
        ),
        "REP-007": gettext(
            "Un cambio que se había confirmado se perdió con el servidor que lo guardaba. Revise lo último que registró."
        ),
        "REP-015": gettext("El servidor dejó de responder. Repita la consulta."),
    }
    # Two writable servers are no source either.
    code = "REP-002" if error.cause.code == "REP-008" else error.cause.code
    return known.get(code) or gettext(
        "La base de datos no está disponible. Espere unos segundos y repita la operación."
    )


def _file_refused(error: core.FileRefused) -> str:
    reason, detail = error.reason, error.detail
    known = {
        "missing_column": gettext("Falta la columna «%(name)s».", name=field_label(detail)),
        "doubled_column": gettext("La columna «%(name)s» está repetida.", name=detail),
        "no_such_sheet": gettext("El archivo no tiene esa hoja. Hojas: %(names)s.", names=detail or "?"),
        "doubled_sheet": gettext("Dos hojas se llaman «%(name)s». Cambie el nombre de una.", name=detail),
        "too_many_columns": gettext("Tiene demasiadas columnas: el máximo son %(limit)s.", limit=detail),
        "too_demanding": _too_demanding(detail),
    }
    text = known.get(reason) or _content_texts().get(reason) or f"{reason} {detail}".strip()
    return gettext("No se puede importar el archivo. %(reason)s", reason=text)


def _too_demanding(cause: str) -> str:
    advice = gettext("Guárdelo como CSV, o repártalo en varios archivos.")
    causes = {
        "memory": gettext("Leerlo necesita demasiada memoria."),
        "time": gettext("Leerlo tarda demasiado."),
        "storage": gettext("Sus filas ocupan demasiado."),
    }
    ended = gettext("El programa que lo lee no pudo terminar.")
    return f"{causes.get(cause, ended)} {advice}"


def _content_texts() -> dict[str, str]:
    return {
        "empty": gettext("Está vacío."),
        "too_large": gettext("Es demasiado grande: el máximo son 64 MiB."),
        "too_many_rows": gettext("Tiene demasiadas filas: el máximo son %(limit)s.", limit=number(IMPORT_LIMITS.rows)),
        "too_many_cells": gettext(
            "La hoja ocupa demasiadas celdas. Quite las filas y columnas vacías y guárdela de nuevo."
        ),
        "cell_out_of_range": gettext("Una celda está fuera de la hoja. Ábralo y guárdelo de nuevo."),
        "too_many_strings": gettext(
            "La hoja tiene demasiados textos. Guárdela como CSV, o repártala en varios archivos."
        ),
        "unpacked_too_large": gettext(
            "El libro XLSX es demasiado grande una vez descomprimido: el máximo son 512 MiB."
        ),
        "not_text": gettext("No es un archivo de texto CSV ni un libro XLSX."),
        "encoding": gettext("No se reconoce su codificación. Guárdelo como CSV UTF-8."),
        "broken_quotes": gettext("Hay unas comillas que no se cierran."),
        "long_cell": gettext("Una celda es demasiado larga. Compruebe que las comillas se cierran."),
        "long_row": gettext("Una fila es demasiado larga. Compruebe que no le sobran separadores."),
        "old_format": gettext("Es un formato antiguo de Excel (.xls). Guárdelo como .xlsx o .csv."),
        "wrong_format": gettext("No es un libro XLSX. Guárdelo como .xlsx o .csv."),
        "password": gettext("Está protegido con contraseña. Quítela y guárdelo de nuevo."),
        "damaged": gettext("Está dañado o incompleto. Ábralo y guárdelo de nuevo."),
    }


def _job_quota_reached(error: web.JobQuotaReached) -> str:
    if error.reason == "jobs":
        return gettext(
            "Ya tiene %(limit)s trabajos en marcha, que es el máximo. Espere a que termine alguno, o cancélelo.",
            limit=number(error.limit),
        )
    return gettext(
        "Sus archivos ocupan el máximo de %(limit)s MB. Se borran al terminar su importación, o al cabo de un día.",
        limit=number(error.limit // 1_000_000),
    )


def _too_many_logins(error: web.TooManyLogins) -> str:
    if error.seconds < 60:
        return ngettext(
            "Demasiados intentos fallidos. Espere %(number)s segundo y vuelva a intentarlo.",
            "Demasiados intentos fallidos. Espere %(number)s segundos y vuelva a intentarlo.",
            error.seconds,
            number=number(error.seconds),
        )
    minutes = max(1, round(error.seconds / 60))
    return ngettext(
        "Demasiados intentos fallidos. Espere %(number)s minuto y vuelva a intentarlo.",
        "Demasiados intentos fallidos. Espere %(number)s minutos y vuelva a intentarlo.",
        minutes,
        number=number(minutes),
    )


def _role_needed(error: web.RoleNeeded) -> str:
    return gettext(
        "Su rol no permite hacer esto: hace falta «%(needed)s» y usted tiene «%(has)s». Pídaselo a quien administra: %(names)s.",
        needed=role_text(error.needed),
        has=role_text(error.has),
        names=", ".join(error.admins) or "—",
    )


def _port_taken(error: web.PortTaken) -> str:
    return gettext(
        "No se puede escuchar en %(host)s:%(port)s: %(reason)s. Elija otro puerto con --port.",
        host=error.host,
        port=error.port,
        reason=error.reason,
    )


TEXTS: dict[type[Exception], Callable[[Any], str]] = {
    core.InvalidInput: lambda error: faults_text(error.faults),
    core.DuplicateCode: lambda error: gettext(
        "El código «%(code)s» ya lo tiene otro producto. Elija otro.", code=error.product_code
    ),
    core.ProductNotFound: lambda error: gettext(
        "No hay ningún producto con el código «%(code)s».", code=error.product_code
    ),
    core.LocationNotFound: lambda error: gettext("No hay ninguna ubicación llamada «%(name)s».", name=error.location),
    core.MovementNotFound: lambda error: gettext(
        "No se encuentra el movimiento o la importación «%(id)s».", id=error.movement
    ),
    core.InsufficientStock: _insufficient,
    core.QuantityLimit: _quantity_limit,
    core.EditConflict: _edit_conflict,
    core.CountConflict: _count_conflict,
    core.ProductRetired: lambda error: gettext(
        "«%(code)s» está eliminado. Restáurelo antes de cambiarlo.", code=error.product_code
    ),
    core.ProductsConflict: _products_conflict,
    core.SelectionChanged: lambda error: gettext(
        "Ahora se encuentran %(current)s productos y usted vio %(seen)s. Revise la lista y decida de nuevo.",
        current=number(error.current),
        seen=number(error.seen),
    ),
    core.CannotUndo: _cannot_undo,
    core.OperationReused: lambda _: gettext(
        "Esta operación ya se usó para otra petición o la usó otra persona. Vuelva a cargar la página y repítala."
    ),
    core.ChangeRefused: lambda error: str(error.reason),
    core.FileRefused: _file_refused,
    core.RowsRefused: _rows_refused,
    core.DatabaseBusy: lambda _: gettext("La base de datos está ocupada. Espere unos segundos y repita la operación."),
    core.StorageRefused: _storage_refused,
    core.CommitUnknown: lambda _: gettext(
        "Se perdió la conexión mientras se guardaba y no se ha podido comprobar si el cambio está hecho. "
        "Repita la operación desde esta misma página: no se hará dos veces."
    ),
    web.ClusterRefused: _cluster_refused,
    core.SchemaNotCurrent: _schema_not_current,
    web.TooManyLogins: _too_many_logins,
    web.JobQuotaReached: _job_quota_reached,
    web.AccountRefused: lambda error: faults_text(error.faults),
    web.AccountNotFound: lambda error: gettext("No hay ningún usuario llamado «%(name)s».", name=error.name),
    web.PortTaken: _port_taken,
    web.RoleNeeded: _role_needed,
    web.HostNotAllowed: lambda error: gettext(
        "El nombre «%(host)s» no está entre los de este sitio. Pida a un administrador que lo añada a INVENTORY_HOSTS.",
        host=error.host[:80],
    ),
    web.ViewWithoutRole: lambda error: gettext(
        "La página «%(endpoint)s» de %(plugin)s no dice quién puede abrirla: márquela con requires o public.",
        endpoint=error.endpoint,
        plugin=error.plugin,
    ),
    web.WorkGivenUp: lambda _: gettext(
        "El servidor se detuvo varias veces mientras trabajaba en esto. Inténtelo de nuevo; si se repite, avise a un administrador."
    ),
}
