"""How the kinds of movement are called and coloured."""

from flask_babel import gettext

COLOURS = {
    "receive": "green",
    "issue": "red",
    "transfer": "blue",
    "count": "azure",
    "undo": "yellow",
    "import": "purple",
}


def kind_text(kind: str) -> str:
    """The name of a kind in the language of the person."""
    texts = {
        "receive": gettext("Entrada"),
        "issue": gettext("Salida"),
        "transfer": gettext("Traslado"),
        "count": gettext("Recuento"),
        "undo": gettext("Anulación"),
        "import": gettext("Importación"),
    }
    return texts.get(kind, kind)


def kind_colour(kind: str) -> str:
    """The colour name in the style sheet's classes."""
    return COLOURS.get(kind, "secondary")
