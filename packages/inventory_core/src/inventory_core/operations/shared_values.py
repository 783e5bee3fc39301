"""The fields that many products can be given at once become rows, with everything that follows from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from inventory_core.database.sql_batch import set_by_id, stored_time
from inventory_core.models import CATEGORY, PRODUCT
from inventory_core.rules.texts import search_text
from inventory_core.stock.idempotency import Unit

TEXTS_AT_ONCE = 500
"""Products whose texts are in memory at the same time."""

_NEXT_VERSION = "version = version + 1, changed_at = ?"
# Locking reads see what is committed now, whatever snapshot the unit has.
_TEXTS = (
    select(PRODUCT.c.id, PRODUCT.c.code, PRODUCT.c.name, PRODUCT.c.description)
    .where(PRODUCT.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update()
)
_CATEGORIES = (
    select(CATEGORY.c.id, CATEGORY.c.name)
    .where(CATEGORY.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(read=True)
)


def set_values(unit: Unit, column: str, values: Sequence[tuple[int, Any]]) -> None:
    """Set ``category_id``, ``minimum`` or ``retired_at`` of locked products, given by id with their JSON values.

    Versions grow by one, and what a search finds of a product follows its category.
    """
    if column == "retired_at":
        values = [
            (row_id, stored_time(unit.connection, datetime.fromisoformat(value) if value else None))
            for row_id, value in values
        ]
    given = (stored_time(unit.connection, unit.at),)
    set_by_id(unit.connection, PRODUCT, column, values, besides=_NEXT_VERSION, given=given)
    if column == "category_id":
        categories = dict(values)
        names = category_names(unit, {category_id for category_id in categories.values() if category_id is not None})
        for portion in _portions(list(categories)):
            set_by_id(unit.connection, PRODUCT, "search_text", list(_search_texts(unit, portion, categories, names)))


def _search_texts(
    unit: Unit, ids: Sequence[int], categories: Mapping[int, int | None], names: Mapping[int, str]
) -> Iterator[tuple[int, str]]:
    for row_id, code, name, description in unit.connection.execute(_TEXTS, {"ids": ids}):
        category_id = categories[row_id]
        yield row_id, search_text(code, name, description, "" if category_id is None else names[category_id])


def category_names(unit: Unit, ids: set[int]) -> dict[int, str]:
    """The names of these categories by id."""
    return {record[0]: record[1] for record in unit.connection.execute(_CATEGORIES, {"ids": sorted(ids)})}


def _portions(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + TEXTS_AT_ONCE] for start in range(0, len(ids), TEXTS_AT_ONCE))
