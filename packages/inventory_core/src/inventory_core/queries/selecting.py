"""The products that a person selected: one by one, or all that a filter finds."""

from dataclasses import dataclass, replace

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from inventory_core.errors import Fault, InvalidInput
from inventory_core.inventory import Inventory
from inventory_core.models import PRODUCT
from inventory_core.queries.product_query.filters import Places, ProductFilter, read_rows, row_columns, row_source
from inventory_core.queries.product_query.plan import ask
from inventory_core.queries.products import ProductCount, count_question, read_page
from inventory_core.results import ProductRow
from inventory_core.rules.arguments import check_arguments, check_page_size, require_types

MAX_SELECTED_PRODUCTS = 10_000
"""So many products can be changed in one operation."""

_ANYWHERE = Places(None, None, None)
_ROWS = (
    select(*row_columns(_ANYWHERE))
    .select_from(row_source(PRODUCT, _ANYWHERE))
    .where(PRODUCT.c.id.in_(bindparam("products", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class SelectedProduct:
    """A product by its id (``ProductRow.id``), and the version of it that was seen; None takes it at any version."""

    id: int
    seen_version: int | None = None

    def __post_init__(self) -> None:
        require_types(self)


@dataclass(frozen=True, slots=True)
class Selection:
    """Either ``products``, each of them once, or every product that the filter ``found`` finds.

    ``seen_number`` is how many the filter found when the person decided; None takes however many there are. Raises
    ``InvalidInput`` for more than ``MAX_SELECTED_PRODUCTS`` products, and for a selection of nothing.
    """

    products: tuple[SelectedProduct, ...] = ()
    found: ProductFilter | None = None
    seen_number: int | None = None

    def __post_init__(self) -> None:
        require_types(self)
        once = {product.id: product for product in reversed(self.products)}
        object.__setattr__(self, "products", tuple(reversed(once.values())))
        if self.found is None and not self.products:
            raise InvalidInput(Fault("selection", "required"))
        if len(self.products) > MAX_SELECTED_PRODUCTS:
            raise too_many_selected(len(self.products))

    def without(self, ids: frozenset[int]) -> "Selection":
        """The same products but for these. Raises ``InvalidInput`` if none is left."""
        return replace(self, products=tuple(product for product in self.products if product.id not in ids))


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """The first products of a selection, and how many there are in all."""

    rows: tuple[ProductRow, ...]
    count: ProductCount


def too_many_selected(number: int) -> InvalidInput:
    """The refusal of a selection of so many products."""
    return InvalidInput(Fault("selection", "too_many", str(number), MAX_SELECTED_PRODUCTS))


@check_arguments
def selected_rows(inventory: Inventory, selection: Selection, *, size: int = 50, sort: str = "name") -> SelectedRows:
    """Give the first ``size`` (1 to 500) products of a selection and count all, up to ``MAX_SELECTED_PRODUCTS``.

    Products that were selected one by one stand in that order, those of a filter in the order of ``sort``. An id that no
    product has is left out.
    """
    check_page_size(size)
    with inventory.sessions.reader() as session:
        if selection.found is None:
            return _chosen(session, selection, size)
        question = ask(session, selection.found, sort)
        records = read_page(session, question, None, size)
        rows = tuple(read_rows(record[1:] for record in records))
        counted = ProductCount(len(rows), more=False) if len(rows) < size else None
        return SelectedRows(rows, counted or count_question(session, question, MAX_SELECTED_PRODUCTS))


def _chosen(session: Session, selection: Selection, size: int) -> SelectedRows:
    ids = [product.id for product in selection.products]
    rows = {row.id: row for row in read_rows(session.execute(_ROWS, {"products": ids}))}
    known = [rows[product_id] for product_id in ids if product_id in rows]
    return SelectedRows(tuple(known[:size]), ProductCount(len(known), more=False))
