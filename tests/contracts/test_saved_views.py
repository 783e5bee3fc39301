"""Saved views on each database: one name once for each owner, also at the same instant."""

from collections.abc import Callable

import pytest

from inventory_core import Inventory, ProductFilter
from inventory_web.auth.users import add_account, list_accounts
from inventory_web.blueprints.catalog.product_list import ListQuery
from inventory_web.blueprints.catalog.saved_views import (
    Draft,
    ViewChanged,
    change_view,
    first_view,
    forget_view,
    list_views,
    save_view,
)
from inventory_web.roles import Role
from tests.contracts.at_once import at_once
from tests.contracts.topologies import Database
from tests.web.browser import PASSWORD


def draft(name: str, search: str = "mesa", *, shared: bool = False, opens_first: bool = False) -> Draft:
    return Draft.of(name, ListQuery(ProductFilter(search=search)), shared=shared, opens_first=opens_first)


@pytest.fixture
def stock(database: Database) -> Inventory:
    return Inventory(database.sessions)


@pytest.fixture
def account(stock: Inventory) -> Callable[[str], int]:
    def make(name: str) -> int:
        add_account(stock, name=name, role=Role.OPERATOR, password=PASSWORD)
        return next(row.id for row in list_accounts(stock) if row.name == name)

    return make


def test_views_are_kept_shared_changed_and_forgotten(stock: Inventory, account: Callable[[str], int]) -> None:
    olga, ada = account("olga"), account("ada2")

    assert save_view(stock, draft("Mía 🌱"), olga) == []
    assert save_view(stock, draft("De todos", shared=True), olga) == []
    assert [view.name for view in list_views(stock, olga)] == ["De todos", "Mía 🌱"]
    assert [(view.name, view.owner) for view in list_views(stock, ada)] == [("De todos", "olga")]

    shared, private = list_views(stock, olga)
    assert change_view(stock, private, draft("De ahora", "silla", opens_first=True), private.version) == []
    with pytest.raises(ViewChanged):
        change_view(stock, private, draft("Tarde"), private.version)
    assert [fault.reason for fault in change_view(stock, shared, draft("DE AHORA"), shared.version)] == ["duplicate"]
    first = first_view(stock, olga)
    assert first is not None
    assert first.list_query.products.search == "silla"

    forget_view(stock, shared.id)
    forget_view(stock, shared.id)
    assert list_views(stock, ada) == ()


def test_the_same_name_at_the_same_instant_is_kept_once(stock: Inventory, account: Callable[[str], int]) -> None:
    olga = account("olga")

    reported = at_once(
        6, lambda which: [fault.reason for fault in save_view(stock, draft("Mía", f"busca {which}"), olga)]
    )

    assert sorted(reported) == [[]] + [["duplicate"]] * 5
    assert len(list_views(stock, olga)) == 1
