"""A filter in words."""

from collections.abc import Iterator

from flask_babel import gettext

from inventory_core import WITHOUT_CATEGORY, Status
from inventory_web.i18n.labels import field_label, status_text
from inventory_web.list_query import DEFAULT_SORT, ListQuery


def described(query: ListQuery) -> str:
    """What the list shows, in the order of its fields."""
    return ", ".join(_parts(query)) or gettext("Todos los productos")


def _parts(query: ListQuery) -> Iterator[str]:
    products = query.products
    if products.search:
        yield f"«{products.search}»"
    if products.category == WITHOUT_CATEGORY:
        yield gettext("Sin categoría")
    elif products.category:
        yield products.category
    if products.status:
        yield status_text(Status(products.status))
    if products.location:
        yield products.location
    if query.sort != DEFAULT_SORT:
        column = query.sort.removeprefix("-")
        label = gettext("Último cambio") if column == "changed" else field_label(column)
        yield f"{label} {'↓' if query.sort.startswith('-') else '↑'}"
