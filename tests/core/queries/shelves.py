"""Products put straight into the tables, many at once, and a model in plain Python of what the queries have to answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from inventory_core import Inventory
from inventory_core.models import metadata
from inventory_core.queries.product_query.filters import ProductFilter
from inventory_core.results import ProductRow
from inventory_core.rules.products import WITHOUT_CATEGORY
from inventory_core.rules.texts import code_key, fold, search_text, sort_key

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PRINCIPAL = "Principal"


@dataclass(frozen=True)
class Item:
    """A product for the shelf; `stock` is its balance in each location, `hours` orders the last changes."""

    code: str
    name: str = "Cosa"
    description: str = ""
    category: str | None = None
    minimum: int = 0
    stock: dict[str, int] = field(default_factory=dict)
    hours: int = 0
    retired: bool = False

    @property
    def total(self) -> int:
        return sum(self.stock.values())


def put(inventory: Inventory, items: Sequence[Item]) -> None:
    """Write the items with ascending ids, and the categories and locations that they name."""

    def work(session: Session) -> None:
        categories = _names(session, "inventory_category", {item.category for item in items if item.category})
        locations = _names(session, "inventory_location", {name for item in items for name in item.stock})
        product, balance = metadata.tables["inventory_product"], metadata.tables["inventory_balance"]
        first = (session.scalar(select(func.max(product.c.id))) or 0) + 1
        rows = [{"id": first + place} | _columns(item, categories) for place, item in enumerate(items)]
        session.execute(insert(product), rows)
        balances = [
            {"product_id": row["id"], "location_id": locations[fold(name)], "quantity": quantity}
            for row, item in zip(rows, items, strict=True)
            for name, quantity in item.stock.items()
        ]
        if balances:
            session.execute(insert(balance), balances)

    inventory.sessions.write(work)


def expected(items: Iterable[Item], product_filter: ProductFilter, sort: str = "name") -> list[str]:
    """The codes that the filter has to find, in the order that the sort has to give; items stand by ascending id."""
    place = product_filter.location
    found = [(number, item) for number, item in enumerate(items) if _passes(item, product_filter)]
    found.sort(key=lambda numbered: (_key(numbered[1], sort, place), numbered[0]), reverse=sort.startswith("-"))
    return [item.code for _, item in found]


def codes(rows: Iterable[ProductRow]) -> list[str]:
    return [row.code for row in rows]


def _passes(item: Item, product_filter: ProductFilter) -> bool:
    category, place, status = product_filter.category, product_filter.location, product_filter.status
    texts = [fold(text) for text in (item.code, item.name, item.description, item.category or "")]
    here = _here(item, place)
    statuses = {
        None: True,
        "available": here is not None and here > 0,
        "out_of_stock": here == 0,
        "low_stock": item.total < item.minimum,
        "retired": True,
    }
    return (
        item.retired == (status == "retired")
        and statuses[status]
        and here is not None
        and (not category or fold(category) == (fold(item.category) if item.category else WITHOUT_CATEGORY))
        and all(
            any(word in text for text in texts)
            for word in list(dict.fromkeys(fold(product_filter.search).split()))[:20]
        )
    )


def _key(item: Item, sort: str, place: str | None) -> str | int:
    match sort.removeprefix("-"):
        case "name":
            return sort_key(item.name)
        case "code":
            return code_key(item.code)
        case "quantity":
            return _here(item, place) or 0
        case _:
            return item.hours


def _here(item: Item, place: str | None) -> int | None:
    return {fold(name): quantity for name, quantity in item.stock.items()}.get(fold(place)) if place else item.total


def _names(session: Session, table: str, names: set[str]) -> dict[str, int]:
    stored = metadata.tables[table]
    known = set(session.scalars(select(stored.c.name_key)))
    for name in sorted(names):
        if fold(name) not in known:
            session.execute(insert(stored).values(name=name, name_key=fold(name)))
    return dict(iter(session.execute(select(stored.c.name_key, stored.c.id))))


def _columns(item: Item, categories: dict[str, int]) -> dict[str, object]:
    at = BEGIN + timedelta(hours=item.hours, microseconds=1)
    return {
        "code": item.code,
        "code_key": code_key(item.code),
        "name": item.name,
        "name_key": sort_key(item.name),
        "description": item.description,
        "category_id": categories[fold(item.category)] if item.category else None,
        "quantity": item.total,
        "minimum": item.minimum,
        "version": 1,
        "search_text": search_text(item.code, item.name, item.description, item.category or ""),
        "created_at": BEGIN,
        "changed_at": at,
        "retired_at": at if item.retired else None,
    }
