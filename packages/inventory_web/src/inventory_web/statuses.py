"""How the status of a product is called and coloured; the text always stands there, the colour only helps."""

from flask_babel import gettext

from inventory_core import Status

COLOURS = {
    Status.AVAILABLE: "green",
    Status.OUT_OF_STOCK: "red",
    Status.LOW_STOCK: "orange",
    Status.RETIRED: "secondary",
}


def status_text(status: Status) -> str:
    """The name of a status in the language of the person."""
    match status:
        case Status.AVAILABLE:
            return gettext("Disponible")
        case Status.OUT_OF_STOCK:
            return gettext("Agotado")
        case Status.LOW_STOCK:
            return gettext("Bajo mínimo")
        case Status.RETIRED:
            return gettext("Eliminado")


def status_colour(status: Status) -> str:
    """The colour name in the style sheet's classes."""
    return COLOURS[status]
