"""Texts for what the core refuses, in Spanish (the language of the message ids); pages and command line share them."""

from collections.abc import Iterable

from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, ngettext

from inventory_core import errors as core
from inventory_core.rules.quantities import LARGEST_QUANTITY


def number(value: int) -> str:
    """A whole number as people of the language write it."""
    return format_decimal(value, locale=get_locale() or "es")


def field_label(field: str) -> str:
    """The name of a field or column as forms show it."""
    labels = {
        "code": gettext("Código"),
        "name": gettext("Nombre"),
        "description": gettext("Descripción"),
        "category": gettext("Categoría"),
        "other_category": gettext("Otra categoría"),
        "quantity": gettext("Cantidad"),
        "delta": gettext("Cambio"),
        "expected": gettext("Cantidad vista"),
        "minimum": gettext("Mínimo"),
        "location": gettext("Ubicación"),
        "source": gettext("Origen"),
        "target": gettext("Destino"),
        "reason": gettext("Motivo"),
        "actor": gettext("Persona"),
        "operation": gettext("Operación"),
        "retired": gettext("Retirado"),
        "username": gettext("Usuario"),
        "password": gettext("Contraseña"),
        "current_password": gettext("Contraseña actual"),
        "new_password": gettext("Contraseña nueva"),
        "repeated_password": gettext("Repetición de la contraseña"),
        "role": gettext("Rol"),
        "file": gettext("Archivo"),
    }
    return labels.get(field, field)


def fault_text(fault: core.Fault) -> str:
    """One sentence that says what is allowed, to show beside the field."""
    return reason_text(fault.reason, fault.value, fault.limit)


def reason_text(reason: str, value: str = "", limit: int | None = None) -> str:
    """The sentence for a fault's stable key; see ``inventory_core.errors.Fault``."""
    longest = number(limit or 0)
    texts = {
        "required": gettext("Este dato es obligatorio."),
        "too_long": gettext("Es demasiado largo: se permiten %(limit)s caracteres como máximo.", limit=longest),
        "too_short": gettext("Es demasiado corto: se necesitan %(limit)s caracteres como mínimo.", limit=longest),
        "characters": gettext("Contiene caracteres de control, que no se permiten."),
        "not_whole": gettext(
            "Escriba un número entero, solo con cifras y sin separadores de miles (por ejemplo 1500)."
        ),
        "negative": gettext("No puede ser negativo: escriba 0 o un número mayor."),
        "not_positive": gettext("Escriba un número entero mayor que 0."),
        "zero": gettext("No puede ser 0: escriba un número entero mayor."),
        "too_large": gettext("Es demasiado grande: el máximo es %(limit)s.", limit=number(limit or LARGEST_QUANTITY)),
        "unknown": gettext("No existe: «%(value)s». Elija uno de la lista.", value=value),
        "duplicate": gettext("Ya existe: «%(value)s». Elija otro.", value=value),
        "duplicate_row": gettext("Está repetido en el archivo: ya aparece en la fila %(limit)s.", limit=longest),
        "ambiguous_location": gettext(
            "El producto está en varias ubicaciones: añada la columna Ubicación para decir en cuál cambia."
        ),
        "same": gettext("Deben ser distintos."),
        "same_location": gettext("El origen y el destino deben ser distintos."),
        "reserved": gettext("«%(value)s» es una palabra reservada. Elija otra.", value=value),
        "not_yes_no": gettext("Escriba «sí» o «no»."),
        "wrong": gettext("No es correcta."),
        "unchanged": gettext("Elija una contraseña distinta de la actual."),
        "mismatch": gettext("Las dos contraseñas no coinciden."),
        "too_easy": gettext("Es demasiado fácil de adivinar: no use el nombre de usuario ni la contraseña inicial."),
        "last_admin": gettext("Es el último administrador activo: nombre antes a otro."),
    }
    return texts.get(reason) or gettext("El valor no es válido (%(reason)s).", reason=reason)


def faults_text(faults: Iterable[core.Fault]) -> str:
    """All faults in one line, each with the name of its field."""
    return " ".join(f"{field_label(fault.field)}: {fault_text(fault)}" for fault in faults)


def faults_by_field(faults: Iterable[core.Fault]) -> dict[str, list[str]]:
    """The sentences for each field of a form."""
    sorted_out: dict[str, list[str]] = {}
    for fault in faults:
        sorted_out.setdefault(fault.field, []).append(fault_text(fault))
    return sorted_out


def refusal_text(error: core.InventoryError) -> str:
    """What happened and what to do about it."""
    match error:
        case core.InvalidInput():
            return faults_text(error.faults)
        case core.ChangeRefused():
            return error.reason
        case core.ProductNotFound():
            return gettext("No hay ningún producto con el código «%(code)s».", code=error.product_code)
        case core.LocationNotFound():
            return gettext("No hay ninguna ubicación llamada «%(name)s».", name=error.location)
        case core.MovementNotFound():
            return gettext("No se encuentra el movimiento o la importación «%(id)s».", id=error.movement)
        case core.DuplicateCode():
            return gettext("El código «%(code)s» ya lo tiene otro producto. Elija otro.", code=error.product_code)
        case core.InsufficientStock() | core.QuantityLimit() | core.CountConflict():
            return _about_quantity(error)
        case core.FileRefused():
            return file_text(error.reason, error.detail)
        case core.RowsRefused():
            return ngettext(
                "Hay %(num)s dato incorrecto en el archivo; no se ha importado nada.",
                "Hay %(num)s datos incorrectos en el archivo; no se ha importado nada.",
                error.total,
            )
        case core.DatabaseBusy() | core.StorageRefused() | core.SchemaNotCurrent():
            return _about_database(error)
        case _:
            return _about_state(error)


def _about_quantity(error: core.InsufficientStock | core.QuantityLimit | core.CountConflict) -> str:
    match error:
        case core.InsufficientStock():
            return gettext(
                "No hay suficientes unidades de «%(code)s» en «%(location)s»: hay %(available)s y se piden %(requested)s.",
                code=error.product_code,
                location=error.location,
                available=number(error.available),
                requested=number(error.requested),
            )
        case core.QuantityLimit():
            return gettext(
                "La cantidad de «%(code)s» pasaría del máximo de %(limit)s.",
                code=error.product_code,
                limit=number(error.limit),
            )
        case core.CountConflict():
            return gettext(
                "Otra persona cambió «%(code)s» mientras tanto: usted vio %(seen)s y ahora hay %(current)s. "
                "Revise la cantidad y decida de nuevo.",
                code=error.product_code,
                seen=number(error.expected),
                current=number(error.current),
            )


def _about_state(error: core.InventoryError) -> str:
    match error:
        case core.EditConflict():
            return gettext(
                "Otra persona modificó «%(code)s» mientras tanto (versión %(current)s; usted vio la %(seen)s). "
                "Revise los datos actuales y decida de nuevo.",
                code=error.product_code,
                current=error.current_version,
                seen=error.seen_version,
            )
        case core.ProductRetired():
            return gettext("«%(code)s» está eliminado. Restáurelo antes de cambiarlo.", code=error.product_code)
        case core.CannotUndo():
            return _undo_text(error.reason, error.product_code)
        case core.OperationReused():
            return gettext("Esta operación ya se usó para otra petición. Vuelva a cargar la página y repítala.")
        case _:
            return gettext("No se pudo completar la operación.")


def _undo_text(reason: str, code: str) -> str:
    texts = {
        "already_undone": gettext("Ya está deshecho."),
        "is_undo": gettext("Es la anulación de otro movimiento y no se puede deshacer. Registre un movimiento nuevo."),
        "changed_nothing": gettext("No cambió ninguna cantidad: no hay nada que deshacer."),
        "edited_since": gettext("«%(code)s» se modificó después, así que no se puede deshacer.", code=code),
    }
    return texts.get(reason) or gettext("No se puede deshacer (%(reason)s).", reason=reason)


def _about_database(error: core.InventoryError) -> str:
    match error:
        case core.SchemaNotCurrent():
            return gettext(
                "El esquema de la base de datos no es el de este programa (tiene %(found)s, hace falta %(wanted)s). "
                "Ejecute: inventory migrate",
                found=error.found or gettext("ninguno"),
                wanted=error.wanted,
            )
        case core.StorageRefused():
            return gettext("No se puede usar la base de datos: %(detail)s.", detail=storage_text(error.detail))
        case _:
            return gettext("La base de datos está ocupada. Espere unos segundos y repita la operación.")


def storage_text(detail: str) -> str:
    """The reason of a ``StorageRefused``; one that the core does not know by name stays as the driver said it."""
    texts = {
        "the file or its folder is read-only": gettext("el archivo o su carpeta es de solo lectura"),
        "the disk reports an error": gettext("el disco comunica un error"),
        "the disk is full": gettext("el disco está lleno"),
        "the file cannot be opened": gettext("no se puede abrir el archivo"),
        "the file is damaged": gettext("el archivo está dañado"),
        "the file is not a database": gettext("el archivo no es una base de datos"),
    }
    return texts.get(detail, detail.rstrip("."))


def file_text(reason: str, detail: str = "") -> str:
    """Why a file as a whole cannot be imported, for the stable key of a ``FileRefused``."""
    return gettext("No se puede importar el archivo: %(reason)s.", reason=f"{reason} {detail}".strip())


def too_many_logins(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return ngettext(
        "Demasiados intentos fallidos. Espere %(num)s minuto y vuelva a intentarlo.",
        "Demasiados intentos fallidos. Espere %(num)s minutos y vuelva a intentarlo.",
        minutes,
    )


def account_not_found(name: str) -> str:
    return gettext("No hay ningún usuario llamado «%(name)s».", name=name)


def port_taken(host: str, port: int, reason: str) -> str:
    return gettext(
        "No se puede escuchar en %(host)s:%(port)s: %(reason)s. Elija otro puerto con --port.",
        host=host,
        port=port,
        reason=reason,
    )
