"""Events of committed changes reach the plugins: each at least once, from whichever instance, never before the commit."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from inventory_core import InsufficientStock, StockChanged, deliver_events, hookimpl, issue, receive, transfer
from inventory_core.operations.delivering import CLAIM_SECONDS
from inventory_core.testing import create_location, create_product, new_request
from tests.contracts.at_once import at_once
from tests.contracts.conftest import MakeInventory
from tests.core.imports.files import import_rows


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 9, 30, 0, 123_456, UTC)

    def __call__(self) -> datetime:
        return self.now


class Recipient:
    """Takes events, unless it is told to fail."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []
        self.fails = False

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)
        if self.fails:
            raise OSError("no paper: 😀" + "x" * 600)


def test_a_change_is_told_once_with_all_that_it_was(make_inventory: MakeInventory) -> None:
    recipient, clock = Recipient(), Clock()
    inventory = make_inventory(recipient, clock=clock)
    create_product(inventory, "A-1", name="Lámpara 😀", minimum=3)
    create_location(inventory, "Sótano")
    receive(inventory, code="A-1", quantity=5, reason="compra «ñ»", **new_request())
    transfer(inventory, code="A-1", quantity=3, source=None, target="Sótano", **new_request())
    with pytest.raises(InsufficientStock):
        issue(inventory, code="A-1", quantity=9, **new_request())

    assert (deliver_events(inventory), deliver_events(inventory)) == (3, 0)
    first = recipient.events[0]
    assert (first.code, first.name, first.reason, first.at) == ("A-1", "Lámpara 😀", "compra «ñ»", clock.now)
    assert [(event.location, event.quantity, event.total) for event in recipient.events] == [
        ("Principal", 5, 5),
        ("Principal", -3, 5),
        ("Sótano", 3, 5),
    ]


def test_an_event_that_failed_comes_again_after_a_pause(make_inventory: MakeInventory) -> None:
    recipient, clock = Recipient(), Clock()
    inventory = make_inventory(recipient, clock=clock)
    create_product(inventory, "A-1", quantity=5)
    recipient.fails = True
    first = deliver_events(inventory)
    recipient.fails = False
    at_once_again = deliver_events(inventory)
    clock.now += timedelta(seconds=2)

    assert (first, at_once_again, deliver_events(inventory)) == (0, 0, 1)
    assert recipient.events[0] == recipient.events[1]


def test_an_event_whose_deliverer_died_is_taken_up_by_another_instance(make_inventory: MakeInventory) -> None:
    class Dies:
        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            raise KeyboardInterrupt(event.id)

    recipient, clock = Recipient(), Clock()
    create_product(make_inventory(Dies(), clock=clock), "A-1", quantity=5)
    other = make_inventory(recipient, clock=clock)
    with pytest.raises(KeyboardInterrupt):
        deliver_events(make_inventory(Dies(), clock=clock))
    too_early = deliver_events(other)
    clock.now += timedelta(seconds=CLAIM_SECONDS)

    assert (too_early, deliver_events(other)) == (0, 1)


def test_instances_that_deliver_at_the_same_instant_share_the_events(make_inventory: MakeInventory) -> None:
    recipients = [Recipient() for _ in range(4)]
    instances = [make_inventory(recipient) for recipient in recipients]
    rows = [["code", "name", "quantity"], *([f"P-{number}", "Cosa", "1"] for number in range(40))]
    import_rows(instances[0], rows)

    taken = at_once(4, lambda which: deliver_events(instances[which], limit=10))
    while more := deliver_events(instances[0]):
        taken.append(more)

    told = Counter(event.id for recipient in recipients for event in recipient.events)
    assert sum(taken) == 40
    assert len(told) == 40
    assert set(told.values()) == {1}
