"""Labels of values that several pages show."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale
from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, lazy_gettext, ngettext

from inventory_core import Status
from inventory_web.roles import Role

FIELD_LABELS = {
    "code": lazy_gettext("Código"),
    "name": lazy_gettext("Nombre"),
    "description": lazy_gettext("Descripción"),
    "category": lazy_gettext("Categoría"),
    "other_category": lazy_gettext("Otra categoría"),
    "quantity": lazy_gettext("Cantidad"),
    "delta": lazy_gettext("Cambio"),
    "expected": lazy_gettext("Cantidad vista"),
    "minimum": lazy_gettext("Mínimo"),
    "location": lazy_gettext("Ubicación"),
    "source": lazy_gettext("Origen"),
    "target": lazy_gettext("Destino"),
    "reason": lazy_gettext("Motivo"),
    "actor": lazy_gettext("Persona"),
    "operation": lazy_gettext("Operación"),
    "retired": lazy_gettext("Eliminado"),
    "username": lazy_gettext("Usuario"),
    "password": lazy_gettext("Contraseña"),
    "current_password": lazy_gettext("Contraseña actual"),
    "new_password": lazy_gettext("Contraseña nueva"),
    "repeated_password": lazy_gettext("Repetición de la contraseña"),
    "role": lazy_gettext("Rol"),
    "second_code": lazy_gettext("Código de verificación"),
    "language": lazy_gettext("Idioma"),
    "theme": lazy_gettext("Tema"),
    "file": lazy_gettext("Archivo"),
    "selection": lazy_gettext("Selección"),
    "since": lazy_gettext("Desde"),
    "until": lazy_gettext("Hasta"),
}

ROLE_LABELS = {
    Role.VIEWER: lazy_gettext("Consulta"),
    Role.OPERATOR: lazy_gettext("Operador"),
    Role.ADMIN: lazy_gettext("Administrador"),
}

STATUS_COLOURS = {
    Status.AVAILABLE: "green",
    Status.OUT_OF_STOCK: "red",
    Status.LOW_STOCK: "orange",
    Status.RETIRED: "secondary",
}

STATUS_LABELS = {
    Status.AVAILABLE: lazy_gettext("Disponible"),
    Status.OUT_OF_STOCK: lazy_gettext("Agotado"),
    Status.LOW_STOCK: lazy_gettext("Bajo mínimo"),
    Status.RETIRED: lazy_gettext("Eliminado"),
}

MOVEMENT_COLOURS = {
    "receive": "green",
    "issue": "red",
    "transfer": "blue",
    "count": "azure",
    "undo": "yellow",
    "import": "purple",
}

MOVEMENT_LABELS = {
    "receive": lazy_gettext("Entrada"),
    "issue": lazy_gettext("Salida"),
    "transfer": lazy_gettext("Traslado"),
    "count": lazy_gettext("Recuento"),
    "undo": lazy_gettext("Anulación"),
    "import": lazy_gettext("Importación"),
}


def format_number(value: int) -> str:
    """Return a whole number in the notation of the language."""
    return _decimal(value, get_locale())


@lru_cache(maxsize=10_000)
def _decimal(value: int, locale: Locale | None) -> str:
    return format_decimal(value, locale=locale or "es")


@dataclass(frozen=True, slots=True)
class QuantityLabels:
    """The accessible names of the controls that change a quantity."""

    quantity: str
    save: str
    less: str
    more: str


def quantity_labeler() -> Callable[[str], QuantityLabels]:
    """Return a fast ``quantity_labels`` for pages with many products: the texts are translated once."""
    quantity, save = gettext("Cantidad de %(what)s"), gettext("Guardar la cantidad de %(what)s")
    less, more = gettext("Restar 1 a %(what)s"), gettext("Sumar 1 a %(what)s")

    def labels(what: str) -> QuantityLabels:
        named = {"what": what}
        return QuantityLabels(quantity % named, save % named, less % named, more % named)

    return labels


def quantity_labels(what: str) -> QuantityLabels:
    """Return the accessible names of the controls that change the quantity of ``what``."""
    return quantity_labeler()(what)


def products_text(count: int) -> str:
    """Return a number of products."""
    return ngettext("%(number)s producto", "%(number)s productos", count, number=format_number(count))


def movements_text(count: int) -> str:
    """Return a number of movements."""
    return ngettext("%(number)s movimiento", "%(number)s movimientos", count, number=format_number(count))


def field_label(field: str) -> str:
    """Return the label of a field or column; the name of one that is not known."""
    return str(FIELD_LABELS.get(field, field))


def mixed_script_warning(name: str) -> str:
    """Return the warning about a user name of mixed scripts."""
    return gettext(
        "«%(name)s» mezcla letras de varios alfabetos y puede confundirse con otro usuario: compruebe que es quien debe ser.",
        name=name,
    )


def role_text(role: Role) -> str:
    """Return the label of a role."""
    return str(ROLE_LABELS[role])


def status_text(status: Status) -> str:
    """Return the label of a product's status."""
    return str(STATUS_LABELS[status])


def status_colour(status: Status) -> str:
    """Return the colour name in the style sheet's classes."""
    return STATUS_COLOURS[status]


def kind_text(kind: str) -> str:
    """Return the label of a kind of movement; the name of one that is not known."""
    return str(MOVEMENT_LABELS.get(kind, kind))


def kind_colour(kind: str) -> str:
    """Return the colour name in the style sheet's classes."""
    return MOVEMENT_COLOURS.get(kind, "secondary")


MAX_AGENT_CHARACTERS = 200

# Most specific first: nearly every browser also calls itself Chrome, Safari and Mozilla.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_label(agent: str) -> str:
    """Return a label such as "Firefox on Windows", or one for an unknown browser."""
    browser, system = _first(BROWSERS, agent), _first(SYSTEMS, agent)
    if browser and system:
        return gettext("%(browser)s en %(system)s", browser=browser, system=system)
    return browser or system or gettext("Navegador desconocido")


def _first(names: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for mark, name in names if mark in agent), "")
