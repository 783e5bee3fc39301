"""Events of committed changes reach the plugins: each at least once and in order, from any instance, never before the commit."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from inventory_core import (
    Delivery,
    InsufficientStock,
    InventoryError,
    OutboxRelay,
    StockChanged,
    deliver_batch,
    hookimpl,
    list_dead_letters,
    outbox_status,
    retry_dead_letters,
)
from inventory_core.stock.operations import issue, receive, transfer
from inventory_core.stock.outbox import LEASE_SECONDS, MAX_ATTEMPTS, deliver_events
from inventory_core.testing import create_location, create_product, new_request
from tests.contracts.at_once import at_once
from tests.contracts.conftest import MYSQL, MakeInventory
from tests.core.imports.files import import_rows
from tests.core.outbox import due_in, let_pass, make_due
from tests.replication.mysql.servers import eventually

AT = datetime(2026, 11, 24, 9, 30, 0, 123_456, UTC)


class Recipient:
    """Takes events, unless it is set to fail."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []
        self.fails = False

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)
        if self.fails:
            raise OSError("no paper: 😀" + "x" * 600)


def test_deliver_events_hands_over_all_that_a_change_was(make_inventory: MakeInventory) -> None:
    recipient = Recipient()
    inventory = make_inventory(recipient, clock=lambda: AT)
    create_product(inventory, "A-1", name="Lámpara 😀", minimum=3)
    create_location(inventory, "Sótano")
    receive(inventory, code="A-1", quantity=5, reason="compra «ñ»", **new_request())
    transfer(inventory, code="A-1", quantity=3, source=None, target="Sótano", **new_request())
    with pytest.raises(InsufficientStock):
        issue(inventory, code="A-1", quantity=9, **new_request())

    assert (deliver_events(inventory), deliver_events(inventory)) == (3, 0)
    first = recipient.events[0]
    assert (first.code, first.name, first.reason, first.at) == ("A-1", "Lámpara 😀", "compra «ñ»", AT)
    assert [(event.location, event.quantity, event.total) for event in recipient.events] == [
        ("Principal", 5, 5),
        ("Principal", -3, 5),
        ("Sótano", 3, 5),
    ]


def test_an_event_that_failed_comes_again_after_a_pause(make_inventory: MakeInventory) -> None:
    recipient = Recipient()
    inventory = make_inventory(recipient)
    create_product(inventory, "A-1", quantity=5)
    recipient.fails = True
    first = deliver_events(inventory)
    recipient.fails = False
    immediately = deliver_events(inventory)
    assert 0 < due_in(inventory) <= 2
    let_pass(inventory, 2)

    assert (first, immediately, deliver_events(inventory)) == (0, 0, 1)
    assert recipient.events[0] == recipient.events[1]


def test_a_dead_letter_is_kept_and_can_be_retried(make_inventory: MakeInventory) -> None:
    recipient = Recipient()
    inventory = make_inventory(recipient)
    create_product(inventory, "A-1", quantity=5)
    recipient.fails = True
    for _ in range(MAX_ATTEMPTS):
        deliver_events(inventory)
        let_pass(inventory, 3600)

    (letter,) = list_dead_letters(inventory)
    assert (letter.event, letter.attempts) == ("stock_changed", MAX_ATTEMPTS)
    assert letter.last_error.startswith("OSError: no paper: 😀")
    assert (outbox_status(inventory).waiting, outbox_status(inventory).dead_letters) == (0, 1)
    recipient.fails = False
    assert retry_dead_letters(inventory) == 1
    assert deliver_batch(inventory) == Delivery(claimed=1, delivered=1)
    assert outbox_status(inventory).dead_letters == 0


def test_an_event_whose_relay_died_is_taken_up_by_another_instance(make_inventory: MakeInventory) -> None:
    class Dies:
        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            raise KeyboardInterrupt(event.id)

    recipient = Recipient()
    create_product(make_inventory(Dies()), "A-1", quantity=5)
    other = make_inventory(recipient)
    with pytest.raises(KeyboardInterrupt):
        deliver_events(make_inventory(Dies()))
    too_early = deliver_events(other)
    let_pass(other, LEASE_SECONDS)

    assert (too_early, deliver_events(other)) == (0, 1)


def test_instances_that_deliver_at_the_same_time_share_the_events(make_inventory: MakeInventory) -> None:
    recipients = [Recipient() for _ in range(4)]
    instances = [make_inventory(recipient) for recipient in recipients]
    rows = [["code", "name", "quantity"], *([f"P-{number}", "Cosa", "1"] for number in range(40))]
    import_rows(instances[0], rows)

    taken = at_once(4, lambda which: deliver_events(instances[which], limit=10))
    while more := deliver_events(instances[0]):
        taken.append(more)

    reported = Counter(event.id for recipient in recipients for event in recipient.events)
    assert sum(taken) == 40
    assert len(reported) == 40
    assert set(reported.values()) == {1}


def test_two_instances_deliver_the_events_of_each_product_in_order(make_inventory: MakeInventory) -> None:
    """Both relay while both write; a plugin that fails now and then makes events come again, still in order."""
    seen: dict[str, list[int]] = defaultdict(list)
    taken: dict[str, list[int]] = defaultdict(list)
    guard = threading.Lock()

    class Taker:
        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            with guard:
                seen[event.code].append(event.total)
                if event.total % 5 == 0 and seen[event.code].count(event.total) == 1:
                    raise OSError("not now")
                taken[event.code].append(event.total)

    codes, changes = ("A-1", "B-2", "C-3"), 12
    instances = [make_inventory(Taker()) for _ in range(4)]
    for code in codes:
        create_product(instances[0], code)
    finished: list[int] = []

    def work(which: int) -> None:
        if which >= 2:
            try:
                for number in range(changes * len(codes)):
                    receive(instances[which], code=codes[number % len(codes)], quantity=1, **new_request())
            finally:
                finished.append(which)
            return
        while len(finished) < 2 or outbox_status(instances[which]).waiting:
            if not deliver_batch(instances[which], limit=5).claimed:
                make_due(instances[which])

    at_once(4, work)

    assert taken == {code: list(range(1, 2 * changes + 1)) for code in codes}
    assert any(len(seen[code]) > len(taken[code]) for code in codes)


@pytest.mark.parametrize("topology", [MYSQL], indirect=True)
def test_relay_waits_while_the_server_is_read_only(
    make_inventory: MakeInventory, ask_mysql: Callable[[str], None]
) -> None:
    recipient = Recipient()
    inventory = make_inventory(recipient)
    create_product(inventory, "A-1", quantity=5)
    ask_mysql("SET GLOBAL super_read_only = ON")
    try:
        with OutboxRelay(inventory, poll_seconds=0.05) as relay:
            with pytest.raises(InventoryError):
                deliver_batch(inventory)
            assert relay.is_running
            assert recipient.events == []
            ask_mysql("SET GLOBAL read_only = OFF")
            eventually("the event is delivered", lambda: outbox_status(inventory).waiting == 0)
    finally:
        ask_mysql("SET GLOBAL read_only = OFF")

    assert [event.code for event in recipient.events] == ["A-1"]
