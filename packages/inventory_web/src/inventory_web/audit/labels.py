"""What a person reads for an event and its details."""

from collections.abc import Iterator, Mapping

from flask_babel import gettext

from inventory_web.audit.log import Event
from inventory_web.auth.roles import Role
from inventory_web.http.user_agents import device_label
from inventory_web.messages import number, role_text

ROLES = {role.word: role for role in Role}


def event_label(event: str) -> str:
    """The name of a kind of event; its word if a plugin told it."""
    return {**_login_texts(), **_account_texts(), **_data_texts()}.get(event, event)


def detail_lines(details: Mapping[str, str | int]) -> Iterator[tuple[str, str]]:
    """Label and value of each detail."""
    labels = {
        "role": gettext("Rol"),
        "before": gettext("Antes"),
        "after": gettext("Después"),
        "agent": gettext("Dispositivo"),
        "sessions": gettext("Sesiones"),
        "left": gettext("Quedan"),
        "page": gettext("Página"),
        "rows": gettext("Filas"),
        "format": gettext("Formato"),
        "filter": gettext("Filtro"),
        "step": gettext("Paso"),
        "import_id": gettext("Importación"),
        "reason": gettext("Motivo"),
        "attempts": gettext("Intentos"),
        "products": gettext("Productos"),
        "skipped": gettext("No anotados antes"),
    }
    for name, value in details.items():
        yield labels.get(name, name), _value(name, value)


def _value(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return number(value)
    if name == "agent":
        return device_label(value)
    if name in ("role", "before", "after") and value in ROLES:
        return role_text(ROLES[value])
    return gettext("código") if (name, value) == ("step", "code") else value


def _login_texts() -> dict[str, str]:
    return {
        Event.LOGIN: gettext("Entrada en la sesión"),
        Event.LOGIN_FAILED: gettext("Entrada fallida"),
        Event.LOGIN_THROTTLED: gettext("Demasiados intentos"),
        Event.LOGOUT: gettext("Salida de la sesión"),
        Event.SESSION_ENDED: gettext("Sesión terminada por una persona"),
        Event.SECOND_FACTOR_ON: gettext("Verificación en dos pasos activada"),
        Event.SECOND_FACTOR_OFF: gettext("Verificación en dos pasos desactivada"),
        Event.SECOND_FACTOR_RESET: gettext("Verificación en dos pasos quitada por un administrador"),
        Event.RECOVERY_CODE_USED: gettext("Código de recuperación usado"),
        Event.RECOVERY_CODES_MADE: gettext("Códigos de recuperación nuevos"),
    }


def _account_texts() -> dict[str, str]:
    return {
        Event.PASSWORD_CHANGED: gettext("Contraseña cambiada"),
        Event.PASSWORD_RESET: gettext("Contraseña puesta por un administrador"),
        Event.ACCOUNT_ADDED: gettext("Usuario creado"),
        Event.ROLE_CHANGED: gettext("Rol cambiado"),
        Event.ACCOUNT_DISABLED: gettext("Usuario desactivado"),
        Event.ACCOUNT_ENABLED: gettext("Usuario activado"),
        Event.ROLE_REFUSED: gettext("Rechazado por falta de rol"),
        Event.ACCOUNT_CHANGE_REFUSED: gettext("Cambio de usuario rechazado"),
        Event.SECOND_FACTOR_OFF_REFUSED: gettext(
            "Verificación en dos pasos no desactivada: contraseña o código incorrectos"
        ),
        Event.ACCESS_REFUSED: gettext("Acceso rechazado"),
        Event.CSRF_FAILED: gettext("Formulario de otra sesión o de otra página rechazado"),
        Event.METRICS_DENIED: gettext("Lectura de métricas rechazada"),
    }


def _data_texts() -> dict[str, str]:
    return {
        Event.EXPORTED: gettext("Exportación"),
        Event.IMPORTED: gettext("Importación"),
        Event.IMPORT_UNDONE: gettext("Importación deshecha"),
        Event.PRODUCT_RETIRED: gettext("Producto eliminado"),
        Event.PRODUCT_RESTORED: gettext("Producto restaurado"),
        Event.AUDIT_PRUNED: gettext("Auditoría recortada"),
    }
