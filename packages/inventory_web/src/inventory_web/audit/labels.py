"""Labels of events and their details."""

from collections.abc import Iterator, Mapping

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from inventory_web.audit.log import Event
from inventory_web.http.user_agents import device_label
from inventory_web.i18n.labels import format_number, role_text
from inventory_web.roles import Role

ROLES = {role.word: role for role in Role}
EVENT_LABELS: dict[str, LazyString] = {
    Event.LOGIN: lazy_gettext("Entrada en la sesión"),
    Event.LOGIN_FAILED: lazy_gettext("Entrada fallida"),
    Event.LOGIN_THROTTLED: lazy_gettext("Demasiados intentos"),
    Event.LOGOUT: lazy_gettext("Salida de la sesión"),
    Event.SESSION_ENDED: lazy_gettext("Sesión terminada por una persona"),
    Event.SECOND_FACTOR_ON: lazy_gettext("Verificación en dos pasos activada"),
    Event.SECOND_FACTOR_OFF: lazy_gettext("Verificación en dos pasos desactivada"),
    Event.SECOND_FACTOR_RESET: lazy_gettext("Verificación en dos pasos quitada por un administrador"),
    Event.RECOVERY_CODE_USED: lazy_gettext("Código de recuperación usado"),
    Event.RECOVERY_CODES_MADE: lazy_gettext("Códigos de recuperación nuevos"),
    Event.PASSWORD_CHANGED: lazy_gettext("Contraseña cambiada"),
    Event.PASSWORD_RESET: lazy_gettext("Contraseña puesta por un administrador"),
    Event.ACCOUNT_ADDED: lazy_gettext("Usuario creado"),
    Event.ROLE_CHANGED: lazy_gettext("Rol cambiado"),
    Event.ACCOUNT_DISABLED: lazy_gettext("Usuario desactivado"),
    Event.ACCOUNT_ENABLED: lazy_gettext("Usuario activado"),
    Event.ROLE_REFUSED: lazy_gettext("Rechazado por falta de rol"),
    Event.ACCOUNT_CHANGE_REFUSED: lazy_gettext("Cambio de usuario rechazado"),
    Event.SECOND_FACTOR_OFF_REFUSED: lazy_gettext(
        "Verificación en dos pasos no desactivada: contraseña o código incorrectos"
    ),
    Event.ACCESS_REFUSED: lazy_gettext("Acceso rechazado"),
    Event.CSRF_FAILED: lazy_gettext("Formulario de otra sesión o de otra página rechazado"),
    Event.METRICS_DENIED: lazy_gettext("Lectura de métricas rechazada"),
    Event.EXPORTED: lazy_gettext("Exportación"),
    Event.IMPORTED: lazy_gettext("Importación"),
    Event.IMPORT_UNDONE: lazy_gettext("Importación deshecha"),
    Event.PRODUCT_RETIRED: lazy_gettext("Producto eliminado"),
    Event.PRODUCT_RESTORED: lazy_gettext("Producto restaurado"),
    Event.AUDIT_PRUNED: lazy_gettext("Auditoría recortada"),
}
DETAIL_LABELS = {
    "role": lazy_gettext("Rol"),
    "before": lazy_gettext("Antes"),
    "after": lazy_gettext("Después"),
    "agent": lazy_gettext("Dispositivo"),
    "sessions": lazy_gettext("Sesiones"),
    "left": lazy_gettext("Quedan"),
    "page": lazy_gettext("Página"),
    "rows": lazy_gettext("Filas"),
    "format": lazy_gettext("Formato"),
    "filter": lazy_gettext("Filtro"),
    "step": lazy_gettext("Paso"),
    "import_id": lazy_gettext("Importación"),
    "reason": lazy_gettext("Motivo"),
    "attempts": lazy_gettext("Intentos"),
    "products": lazy_gettext("Productos"),
    "skipped": lazy_gettext("No anotados antes"),
}


def event_label(event: str) -> str:
    """Return the label of an event; its name if it comes from a plugin."""
    return str(EVENT_LABELS.get(event, event))


def detail_lines(details: Mapping[str, str | int]) -> Iterator[tuple[str, str]]:
    """Yield label and value of each detail."""
    for name, value in details.items():
        yield str(DETAIL_LABELS.get(name, name)), _value(name, value)


def _value(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return format_number(value)
    if name == "agent":
        return device_label(value)
    if name in ("role", "before", "after") and value in ROLES:
        return role_text(ROLES[value])
    return gettext("código") if (name, value) == ("step", "code") else value
