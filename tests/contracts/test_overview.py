"""The sums that the dashboard shows, the same on every database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from inventory_core import InvalidInput, Inventory, ProductNotFound
from inventory_core.catalog.products import retire_product
from inventory_core.queries.reports import (
    CategoryStock,
    RunOutForecast,
    StockShortage,
    lowest_stock,
    movements_by_day,
    products_running_out,
    quantity_history,
    stock_by_category,
)
from inventory_core.stock.operations import count, issue, receive, transfer, undo_movement
from inventory_core.testing import create_location, create_product, new_request

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

At = Callable[..., Inventory]


@pytest.fixture
def at(inventory: Inventory) -> At:
    """The inventory as it is worked with at a moment of the past; without one: now."""

    def moved(*moment: int) -> Inventory:
        year, month, day, hour, minute, second, fraction = (*moment, *(0,) * (7 - len(moment)))
        then = datetime(year, month, day, hour, minute, second, fraction, UTC) if moment else NOW
        return replace(inventory, clock=lambda: then)

    return moved


def test_categories_add_up_to_the_inventory(inventory: Inventory) -> None:
    create_product(inventory, "A", category="Ropa", quantity=3, minimum=5)
    create_product(inventory, "B", category="ropa", quantity=4)
    create_product(inventory, "C", category="Ropa")
    create_product(inventory, "D", quantity=1_000_000_000)
    create_product(inventory, "E", quantity=1_000_000_000)
    create_product(inventory, "F", category="Hogar", quantity=9)
    retire_product(inventory, code="F", **new_request())

    assert stock_by_category(inventory) == (
        CategoryStock(None, 2, 2_000_000_000, 0, 0),
        CategoryStock("Ropa", 3, 7, 1, 1),
    )


def test_an_empty_inventory_has_no_category_and_no_movement(inventory: Inventory) -> None:
    assert stock_by_category(inventory) == ()
    assert lowest_stock(inventory) == ()
    assert products_running_out(inventory) == ()
    assert [(day.movements, day.incoming, day.outgoing) for day in movements_by_day(inventory, days=3)] == [
        (0, 0, 0)
    ] * 3


def test_a_day_goes_from_midnight_to_midnight_of_the_place(at: At) -> None:
    create_product(at(2026, 11, 22, 22, 59, 59, 999_999), "A", quantity=5)
    issue(at(2026, 11, 22, 23), code="A", quantity=2, **new_request())
    receive(at(2026, 11, 23, 22, 59), code="A", quantity=1, **new_request())
    count(at(2026, 11, 23, 23), code="A", quantity=4, expected=4, **new_request())
    count(at(2026, 11, 24, 14), code="A", quantity=10, expected=4, **new_request())

    days = movements_by_day(at(), days=3, timezone=MADRID)

    assert [(day.day, day.movements, day.incoming, day.outgoing) for day in days] == [
        (date(2026, 11, 22), 1, 5, 0),
        (date(2026, 11, 23), 2, 1, 2),
        (date(2026, 11, 24), 2, 6, 0),
    ]


def test_the_days_on_which_clocks_change_have_all_their_hours(at: At) -> None:
    create_product(at(2026, 10, 24, 21, 59), "A", quantity=1)
    for hour in (22, 23):
        receive(at(2026, 10, 24, hour), code="A", quantity=1, **new_request())
    receive(at(2026, 10, 25, 22, 59), code="A", quantity=1, **new_request())
    receive(at(2026, 10, 25, 23), code="A", quantity=1, **new_request())

    days = movements_by_day(at(2026, 10, 26, 10), days=3, timezone=MADRID)

    assert [day.incoming for day in days] == [1, 3, 1]


def test_transfer_is_neither_incoming_nor_outgoing_and_undo_is_both(at: At) -> None:
    create_location(at(), "Sótano")
    create_product(at(2026, 11, 23), "A", quantity=9)
    moved = transfer(at(), code="A", quantity=4, source=None, target="Sótano", **new_request())
    undo_movement(at(), movement_id=moved.movement_ids[0], **new_request())
    taken = issue(at(), code="A", quantity=2, **new_request())
    undo_movement(at(), movement_id=taken.movement_ids[0], **new_request())

    (today,) = movements_by_day(at(), days=1)

    assert (today.movements, today.incoming, today.outgoing) == (6, 2, 2)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_period_that_is_none_is_refused(inventory: Inventory, days: int) -> None:
    with pytest.raises(InvalidInput):
        movements_by_day(inventory, days=days)


def test_overview_orders_by_issue_rate_and_ignores_undone_ones(at: At) -> None:
    for code, quantity, used in (("SLOW", 100, 1), ("FAST", 100, 60), ("LAST", 4, 3), ("GONE", 7, 7), ("STILL", 5, 0)):
        create_product(at(2026, 10, 1), code, name=code.title(), quantity=quantity)
        if used:
            issue(at(2026, 11, 1), code=code, quantity=used, **new_request())
    create_product(at(2026, 10, 1), "LONG-AGO", quantity=9)
    issue(at(2026, 10, 25, 14, 59), code="LONG-AGO", quantity=8, **new_request())
    create_product(at(2026, 10, 1), "RETIRED", quantity=9)
    issue(at(2026, 11, 1), code="RETIRED", quantity=8, **new_request())
    retire_product(at(), code="RETIRED", **new_request())
    create_product(at(2026, 10, 1), "UNDONE", quantity=9)
    taken = issue(at(2026, 11, 1), code="UNDONE", quantity=8, **new_request())
    undo_movement(at(), movement_id=taken.movement_ids[0], **new_request())

    assert products_running_out(at()) == (
        RunOutForecast("LAST", "Last", 1, 3, 10),
        RunOutForecast("FAST", "Fast", 40, 60, 20),
        RunOutForecast("SLOW", "Slow", 99, 1, 2970),
    )
    assert [row.code for row in products_running_out(at(), size=1)] == ["LAST"]


def test_what_lacks_most_is_first(inventory: Inventory) -> None:
    create_product(inventory, "A", name="Mesa", quantity=3, minimum=5)
    create_product(inventory, "B", name="Silla", minimum=40)
    create_product(inventory, "C", quantity=5, minimum=5)
    create_product(inventory, "D", minimum=90)
    retire_product(inventory, code="D", **new_request())

    assert lowest_stock(inventory) == (StockShortage("B", "Silla", 0, 40, 40), StockShortage("A", "Mesa", 3, 5, 2))
    assert lowest_stock(inventory, size=1) == (StockShortage("B", "Silla", 0, 40, 40),)


def test_quantity_history_adds_all_locations_and_ignores_transfer(at: At) -> None:
    create_location(at(), "Sótano")
    create_product(at(2026, 6, 1), "A", quantity=10)
    issue(at(2026, 7, 1), code="A", quantity=1, **new_request())
    receive(at(2026, 10, 1), code="A", quantity=5, location="Sótano", **new_request())
    transfer(at(2026, 10, 5), code="A", quantity=4, source=None, target="Sótano", **new_request())
    issue(at(2026, 11, 1), code="A", quantity=2, location="Sótano", **new_request())

    history = quantity_history(at(), "a")

    assert (history.begin, history.end) == (NOW - timedelta(days=90), NOW)
    assert [(step.since.date(), step.quantity) for step in history.quantities] == [
        (date(2026, 8, 26), 9),
        (date(2026, 10, 1), 14),
        (date(2026, 11, 1), 12),
    ]


@pytest.mark.slow
def test_quantity_history_covers_at_most_the_last_hundred_movements(at: At) -> None:
    create_product(at(2026, 11, 1), "A", quantity=1)
    for minute in range(102):
        receive(at(2026, 11, 2, minute // 60, minute % 60), code="A", quantity=1, **new_request())

    history = quantity_history(at(), "A")

    assert history.begin == datetime(2026, 11, 2, 0, 1, tzinfo=UTC)
    assert [step.quantity for step in history.quantities] == list(range(3, 104))


def test_quantity_history_of_a_new_product_begins_with_its_registration(at: At) -> None:
    create_product(at(2026, 11, 20), "A")

    history = quantity_history(at(), "A")

    assert (history.begin, [step.quantity for step in history.quantities]) == (datetime(2026, 11, 20, tzinfo=UTC), [0])
    with pytest.raises(ProductNotFound):
        quantity_history(at(), "B")
