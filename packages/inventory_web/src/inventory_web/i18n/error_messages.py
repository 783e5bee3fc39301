"""Error messages: what happened and what to do, in Spanish (the message ids); pages and command line share them."""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

import inventory_core as core
from inventory_core import IMPORT_LIMITS, MAX_QUANTITY, Fault
from inventory_web import errors as web
from inventory_web.i18n.labels import field_label, format_number, role_text

REASONS = {
    "required": lazy_gettext("Este dato es obligatorio."),
    "too_long": lazy_gettext("Es demasiado largo: se permiten %(limit)s caracteres como máximo."),
    "too_short": lazy_gettext("Es demasiado corto: se necesitan %(limit)s caracteres como mínimo."),
    "characters": lazy_gettext("Contiene caracteres de control, que no se permiten."),
    "invisible": lazy_gettext("Contiene caracteres invisibles (%(value)s): bórrelos."),
    "not_whole": lazy_gettext(
        "Escriba un número entero, solo con cifras y sin separadores de miles (por ejemplo 1500)."
    ),
    "negative": lazy_gettext("No puede ser negativo: escriba 0 o un número mayor."),
    "not_positive": lazy_gettext("Escriba un número entero mayor que 0."),
    "zero": lazy_gettext("No puede ser 0: escriba un número entero mayor."),
    "too_large": lazy_gettext("Es demasiado grande: el máximo es %(limit)s."),
    "unknown": lazy_gettext("No existe: «%(value)s». Elija uno de la lista."),
    "duplicate": lazy_gettext("Ya existe: «%(value)s». Elija otro."),
    "duplicate_row": lazy_gettext("Está repetido en el archivo: ya aparece en la fila %(limit)s."),
    "ambiguous_location": lazy_gettext(
        "El producto está en varias ubicaciones: añada la columna Ubicación para decir en cuál cambia."
    ),
    "same": lazy_gettext("Deben ser distintos."),
    "same_location": lazy_gettext("El origen y el destino deben ser distintos."),
    "too_many": lazy_gettext("Son demasiados: se permiten %(limit)s como máximo."),
    "reserved": lazy_gettext("«%(value)s» es una palabra reservada. Elija otra."),
    "not_a_day": lazy_gettext("«%(value)s» no es un día: escríbalo como 2026-11-24."),
    "not_yes_no": lazy_gettext("Escriba «sí» o «no»."),
    "wrong": lazy_gettext("No es correcta."),
    "unchanged": lazy_gettext("Elija una contraseña distinta de la actual."),
    "mismatch": lazy_gettext("Las dos contraseñas no coinciden."),
    "too_easy": lazy_gettext(
        "Es demasiado fácil de adivinar: no use palabras ni contraseñas corrientes, su nombre de usuario ni un patrón. "
        "Varias palabras sin relación entre sí sí valen."
    ),
    "second_factor_on": lazy_gettext("La verificación en dos pasos ya está activada."),
    "second_factor_off": lazy_gettext("La verificación en dos pasos no está activada."),
    "wrong_code": lazy_gettext("No es correcto, ya se usó o ha caducado: escriba el siguiente."),
    "last_admin": lazy_gettext("Es el último administrador activo: nombre antes a otro."),
}
"""The sentence for each stable key of a fault; see ``inventory_core.Fault``."""

STATUS_TITLES = {
    400: lazy_gettext("Petición no válida"),
    401: lazy_gettext("Sesión terminada"),
    403: lazy_gettext("Sin permiso"),
    404: lazy_gettext("No encontrado"),
    405: lazy_gettext("Método no permitido"),
    409: lazy_gettext("Conflicto"),
    413: lazy_gettext("Archivo demasiado grande"),
    422: lazy_gettext("Datos incorrectos"),
    429: lazy_gettext("Demasiados intentos"),
    500: lazy_gettext("Error interno"),
    503: lazy_gettext("Servicio no disponible"),
    504: lazy_gettext("Sin confirmación"),
    507: lazy_gettext("Sin espacio en el servidor"),
}
STATUS_MESSAGES = {
    400: lazy_gettext("La petición está mal formada. Vuelva atrás y repítala."),
    403: lazy_gettext("Su rol no permite hacer esto. Pida permiso a un administrador."),
    404: lazy_gettext("Aquí no hay nada. Revise la dirección o vuelva al inventario."),
    405: lazy_gettext("Esta dirección no admite esa forma de petición. Vuelva al inventario."),
    413: lazy_gettext("Lo enviado es demasiado grande: un archivo puede tener 64 MiB como máximo."),
    429: lazy_gettext("Demasiadas peticiones. Espere un poco."),
    500: lazy_gettext(
        "Algo falló en el programa. No se guardó nada. Si se repite, comunique el número de la petición."
    ),
    503: lazy_gettext("El servicio no está disponible en este momento. Repita la operación dentro de unos segundos."),
    507: lazy_gettext(
        "Al servidor no le queda espacio para archivos. No se guardó nada. Avise a quien lo administra y repítalo después."
    ),
}
CONTENT_MESSAGES = {
    "empty": lazy_gettext("Está vacío."),
    "too_large": lazy_gettext("Es demasiado grande: el máximo son 64 MiB."),
    "too_many_rows": lazy_gettext("Tiene demasiadas filas: el máximo son %(limit)s."),
    "too_many_cells": lazy_gettext(
        "La hoja ocupa demasiadas celdas. Quite las filas y columnas vacías y guárdela de nuevo."
    ),
    "cell_out_of_range": lazy_gettext("Una celda está fuera de la hoja. Ábralo y guárdelo de nuevo."),
    "too_many_strings": lazy_gettext(
        "La hoja tiene demasiados textos. Guárdela como CSV, o repártala en varios archivos."
    ),
    "unpacked_too_large": lazy_gettext(
        "El libro XLSX es demasiado grande una vez descomprimido: el máximo son 512 MiB."
    ),
    "not_text": lazy_gettext("No es un archivo de texto CSV ni un libro XLSX."),
    "encoding": lazy_gettext("No se reconoce su codificación. Guárdelo como CSV UTF-8."),
    "broken_quotes": lazy_gettext("Hay unas comillas que no se cierran."),
    "long_cell": lazy_gettext("Una celda es demasiado larga. Compruebe que las comillas se cierran."),
    "long_row": lazy_gettext("Una fila es demasiado larga. Compruebe que no le sobran separadores."),
    "old_format": lazy_gettext("Es un formato antiguo de Excel (.xls). Guárdelo como .xlsx o .csv."),
    "wrong_format": lazy_gettext("No es un libro XLSX. Guárdelo como .xlsx o .csv."),
    "password": lazy_gettext("Está protegido con contraseña. Quítela y guárdelo de nuevo."),
    "damaged": lazy_gettext("Está dañado o incompleto. Ábralo y guárdelo de nuevo."),
}


def error_message(error: core.InventoryError | web.WebError) -> str:
    """Return what happened and what to do, with every value that the error holds."""
    text = next((MESSAGES[kind] for kind in type(error).__mro__ if kind in MESSAGES), None)
    return text(error) if text else gettext("No se pudo completar la operación: %(reason)s", reason=str(error))


def public_message(error: core.InventoryError | web.WebError) -> str:
    """Return the message for a page: names of files and servers are for the log and the command line only."""
    status = web.status_of(error)
    names_files = isinstance(error, (core.StorageRefused, core.SchemaNotCurrent))
    if status == 500 or (names_files and not isinstance(error, web.ClusterRefused)):
        return status_message(status)
    return error_message(error)


def status_title(status: int) -> str:
    """Return the title of an error page."""
    return str(STATUS_TITLES.get(status) or HTTPStatus(status).phrase)


def status_message(status: int) -> str:
    """Return what happened and what to do, if only the status is known."""
    return str(STATUS_MESSAGES.get(status) or gettext("La petición no se pudo atender."))


def fault_message(fault: Fault) -> str:
    """Return one sentence that says what is allowed, to show next to the field."""
    return reason_message(fault.reason, fault.value, fault.limit)


def reason_message(reason: str, value: str = "", limit: int | None = None) -> str:
    """Return the sentence for a fault's stable key."""
    text = REASONS.get(reason)
    if text is None:
        return gettext("El valor no es válido (%(reason)s).", reason=reason)
    default = MAX_QUANTITY if reason == "too_large" else 0
    return str(text) % {"value": value, "limit": format_number(limit or default)}


def faults_message(faults: Iterable[Fault]) -> str:
    """Return all faults in one line, each with the label of its field."""
    return " ".join(f"{field_label(fault.field)}: {fault_message(fault)}" for fault in faults)


def messages_by_field(faults: Iterable[Fault]) -> dict[str, list[str]]:
    """Return the sentences for each field of a form."""
    messages: dict[str, list[str]] = {}
    for fault in faults:
        messages.setdefault(fault.field, []).append(fault_message(fault))
    return messages


def _insufficient(error: core.InsufficientStock) -> str:
    return gettext(
        "No hay suficientes unidades de «%(code)s» en «%(location)s»: hay %(available)s y se piden %(requested)s.",
        code=error.product_code,
        location=error.location,
        available=format_number(error.available),
        requested=format_number(error.requested),
    )


def _quantity_limit(error: core.QuantityLimit) -> str:
    return gettext(
        "La cantidad de «%(code)s» pasaría del máximo de %(limit)s.",
        code=error.product_code,
        limit=format_number(error.limit),
    )


def _count_conflict(error: core.CountConflict) -> str:
    return gettext(
        "Otra persona cambió «%(code)s» mientras tanto: usted vio %(seen)s y ahora hay %(current)s. "
        "Revise la cantidad y decida de nuevo.",
        code=error.product_code,
        seen=format_number(error.expected),
        current=format_number(error.current),
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
        number=format_number(error.total),
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
    """Return the translated message for an error with a file; a server's message stays as it is."""
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
    # Two writable servers are as bad as none.
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
    text = known.get(reason) or _content_message(reason) or f"{reason} {detail}".strip()
    return gettext("No se puede importar el archivo. %(reason)s", reason=text)


def _content_message(reason: str) -> str:
    text = CONTENT_MESSAGES.get(reason)
    return str(text) % {"limit": format_number(IMPORT_LIMITS.rows)} if text else ""


def _too_demanding(cause: str) -> str:
    advice = gettext("Guárdelo como CSV, o repártalo en varios archivos.")
    causes = {
        "memory": gettext("Leerlo necesita demasiada memoria."),
        "time": gettext("Leerlo tarda demasiado."),
        "storage": gettext("Sus filas ocupan demasiado."),
    }
    ended = gettext("El programa que lo lee no pudo terminar.")
    return f"{causes.get(cause, ended)} {advice}"


def _job_quota_reached(error: web.JobQuotaReached) -> str:
    if error.reason == "jobs":
        return gettext(
            "Ya tiene %(limit)s trabajos en marcha, que es el máximo. Espere a que termine alguno, o cancélelo.",
            limit=format_number(error.limit),
        )
    return gettext(
        "Sus archivos ocupan el máximo de %(limit)s MB. Se borran al terminar su importación, o al cabo de un día.",
        limit=format_number(error.limit // 1_000_000),
    )


def _too_many_logins(error: web.TooManyLogins) -> str:
    if error.seconds < 60:
        return ngettext(
            "Demasiados intentos fallidos. Espere %(number)s segundo y vuelva a intentarlo.",
            "Demasiados intentos fallidos. Espere %(number)s segundos y vuelva a intentarlo.",
            error.seconds,
            number=format_number(error.seconds),
        )
    minutes = max(1, round(error.seconds / 60))
    return ngettext(
        "Demasiados intentos fallidos. Espere %(number)s minuto y vuelva a intentarlo.",
        "Demasiados intentos fallidos. Espere %(number)s minutos y vuelva a intentarlo.",
        minutes,
        number=format_number(minutes),
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


MESSAGES: dict[type[Exception], Callable[[Any], str]] = {
    core.InvalidInput: lambda error: faults_message(error.faults),
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
        current=format_number(error.current),
        seen=format_number(error.seen),
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
    web.AccountRefused: lambda error: faults_message(error.faults),
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
    web.JobAbandoned: lambda _: gettext(
        "El servidor se detuvo varias veces mientras trabajaba en esto. Inténtelo de nuevo; si se repite, avise a un administrador."
    ),
}
