"""Texts for fields and their faults, in Spanish (the language of the message ids); pages and command line share them."""

from collections.abc import Iterable
from functools import lru_cache

from babel import Locale
from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, ngettext

from inventory_core import MAX_QUANTITY, Fault
from inventory_web.auth.roles import Role


def number(value: int) -> str:
    """A whole number as people of the language write it."""
    return _decimal(value, get_locale())


@lru_cache(maxsize=10_000)
def _decimal(value: int, locale: Locale | None) -> str:
    return format_decimal(value, locale=locale or "es")


def products_text(count: int) -> str:
    """So many products."""
    return ngettext("%(number)s producto", "%(number)s productos", count, number=number(count))


def movements_text(count: int) -> str:
    """So many movements."""
    return ngettext("%(number)s movimiento", "%(number)s movimientos", count, number=number(count))


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
        "retired": gettext("Eliminado"),
        "username": gettext("Usuario"),
        "password": gettext("Contraseña"),
        "current_password": gettext("Contraseña actual"),
        "new_password": gettext("Contraseña nueva"),
        "repeated_password": gettext("Repetición de la contraseña"),
        "role": gettext("Rol"),
        "second_code": gettext("Código de verificación"),
        "language": gettext("Idioma"),
        "theme": gettext("Tema"),
        "file": gettext("Archivo"),
        "selection": gettext("Selección"),
        "since": gettext("Desde"),
        "until": gettext("Hasta"),
    }
    return labels.get(field, field)


def mixed_script_text(name: str) -> str:
    """A warning for the administrator."""
    return gettext(
        "«%(name)s» mezcla letras de varios alfabetos y puede confundirse con otro usuario: compruebe que es quien debe ser.",
        name=name,
    )


def role_text(role: Role) -> str:
    """The name of a role."""
    texts = {
        Role.VIEWER: gettext("Consulta"),
        Role.OPERATOR: gettext("Operador"),
        Role.ADMIN: gettext("Administrador"),
    }
    return texts[role]


def fault_text(fault: Fault) -> str:
    """One sentence that says what is allowed, to show beside the field."""
    return reason_text(fault.reason, fault.value, fault.limit)


def reason_text(reason: str, value: str = "", limit: int | None = None) -> str:
    """The sentence for a fault's stable key; see ``inventory_core.Fault``."""
    longest = number(limit or 0)
    texts = {
        "required": gettext("Este dato es obligatorio."),
        "too_long": gettext("Es demasiado largo: se permiten %(limit)s caracteres como máximo.", limit=longest),
        "too_short": gettext("Es demasiado corto: se necesitan %(limit)s caracteres como mínimo.", limit=longest),
        "characters": gettext("Contiene caracteres de control, que no se permiten."),
        "invisible": gettext("Contiene caracteres invisibles (%(value)s): bórrelos.", value=value),
        "not_whole": gettext(
            "Escriba un número entero, solo con cifras y sin separadores de miles (por ejemplo 1500)."
        ),
        "negative": gettext("No puede ser negativo: escriba 0 o un número mayor."),
        "not_positive": gettext("Escriba un número entero mayor que 0."),
        "zero": gettext("No puede ser 0: escriba un número entero mayor."),
        "too_large": gettext("Es demasiado grande: el máximo es %(limit)s.", limit=number(limit or MAX_QUANTITY)),
        "unknown": gettext("No existe: «%(value)s». Elija uno de la lista.", value=value),
        "duplicate": gettext("Ya existe: «%(value)s». Elija otro.", value=value),
        "duplicate_row": gettext("Está repetido en el archivo: ya aparece en la fila %(limit)s.", limit=longest),
        "ambiguous_location": gettext(
            "El producto está en varias ubicaciones: añada la columna Ubicación para decir en cuál cambia."
        ),
        "same": gettext("Deben ser distintos."),
        "same_location": gettext("El origen y el destino deben ser distintos."),
        "too_many": gettext("Son demasiados: se permiten %(limit)s como máximo.", limit=longest),
        "reserved": gettext("«%(value)s» es una palabra reservada. Elija otra.", value=value),
        "not_a_day": gettext("«%(value)s» no es un día: escríbalo como 2026-11-24.", value=value),
        "not_yes_no": gettext("Escriba «sí» o «no»."),
        "wrong": gettext("No es correcta."),
        "unchanged": gettext("Elija una contraseña distinta de la actual."),
        "mismatch": gettext("Las dos contraseñas no coinciden."),
        "too_easy": gettext(
            "Es demasiado fácil de adivinar: no use palabras ni contraseñas corrientes, su nombre de usuario ni un patrón. "
            "Varias palabras sin relación entre sí sí valen."
        ),
        "second_factor_on": gettext("La verificación en dos pasos ya está activada."),
        "second_factor_off": gettext("La verificación en dos pasos no está activada."),
        "wrong_code": gettext("No es correcto, ya se usó o ha caducado: escriba el siguiente."),
        "last_admin": gettext("Es el último administrador activo: nombre antes a otro."),
    }
    return texts.get(reason) or gettext("El valor no es válido (%(reason)s).", reason=reason)


def faults_text(faults: Iterable[Fault]) -> str:
    """All faults in one line, each with the name of its field."""
    return " ".join(f"{field_label(fault.field)}: {fault_text(fault)}" for fault in faults)


def faults_by_field(faults: Iterable[Fault]) -> dict[str, list[str]]:
    """The sentences for each field of a form."""
    sorted_out: dict[str, list[str]] = {}
    for fault in faults:
        sorted_out.setdefault(fault.field, []).append(fault_text(fault))
    return sorted_out
