import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from inventory_core import (
    Inventory,
    StockChanged,
    build_plugin_manager,
    deliver_events,
    hookimpl,
    issue,
    receive,
)
from inventory_core.operations.delivering import CLAIM_SECONDS
from inventory_core.testing import create_product, new_request, temporary_inventory


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Recipient:
    """Takes events, or dies as it is told."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []
        self.fails_with: BaseException | None = None

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)
        if self.fails_with is not None:
            raise self.fails_with


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recipient() -> Recipient:
    return Recipient()


@pytest.fixture
def told(tmp_path: Path, clock: Clock, recipient: Recipient) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path) as created:
        yield Inventory(created.sessions, build_plugin_manager([recipient]), clock)


def test_a_committed_change_is_delivered_once_with_what_it_was(
    told: Inventory, clock: Clock, recipient: Recipient
) -> None:
    create_product(told, "A-1", name="Mesa", minimum=3)
    change = receive(told, code="A-1", quantity=5, reason="compra", **new_request())

    assert (deliver_events(told), deliver_events(told)) == (1, 0)
    assert recipient.events == [
        StockChanged(
            id=str(change.movement_ids[0]),
            kind="receive",
            code="A-1",
            name="Mesa",
            location="Principal",
            quantity=5,
            total_before=0,
            total=5,
            minimum=3,
            reason="compra",
            actor="test",
            at=clock.now,
        )
    ]


def test_nothing_is_stored_for_nobody(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    assert pending(inventory) == []
    assert deliver_events(inventory) == 0


def test_events_wait_while_no_plugin_is_there_to_be_told(told: Inventory) -> None:
    create_product(told, "A-1", quantity=5)
    alone = Inventory(told.sessions)

    assert deliver_events(alone) == 0
    assert deliver_events(told) == 1


def test_a_refused_change_leaves_no_event(told: Inventory) -> None:
    create_product(told, "A-1")
    with pytest.raises(Exception, match="asked for"):
        issue(told, code="A-1", quantity=1, **new_request())

    assert deliver_events(told) == 0


def test_an_event_that_a_plugin_could_not_take_comes_again_later_and_later(
    told: Inventory, clock: Clock, recipient: Recipient, caplog: pytest.LogCaptureFixture
) -> None:
    create_product(told, "A-1", quantity=5)
    recipient.fails_with = ValueError("no paper")

    pauses = []
    for _ in range(4):
        assert deliver_events(told) == 0
        pauses.append(pause(told, clock))
        clock.move(pauses[-1])

    assert pauses == [2, 4, 8, 16]
    assert pending(told) == [(4, "ValueError: no paper")]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    recipient.fails_with = None
    assert deliver_events(told) == 1
    assert len({event.id for event in recipient.events}) == 1
    assert pending(told) == []


def test_an_event_that_fails_does_not_hold_up_the_others(told: Inventory, recipient: Recipient, clock: Clock) -> None:
    create_product(told, "A-1", quantity=5)
    recipient.fails_with = ValueError("no paper")
    deliver_events(told)
    recipient.fails_with = None
    create_product(told, "B-2", quantity=5)

    assert deliver_events(told) == 1
    assert [event.code for event in recipient.events] == ["A-1", "B-2"]
    clock.move(2)
    assert deliver_events(told) == 1


def test_the_pause_does_not_grow_beyond_an_hour(told: Inventory, clock: Clock, recipient: Recipient) -> None:
    create_product(told, "A-1", quantity=5)
    recipient.fails_with = ValueError("no paper")
    for _ in range(20):
        deliver_events(told)
        clock.move(3600)

    clock.move(-3600)
    assert pause(told, clock) == 3600


def test_the_claim_of_a_deliverer_that_died_expires(told: Inventory, clock: Clock, recipient: Recipient) -> None:
    create_product(told, "A-1", quantity=5)
    recipient.fails_with = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        deliver_events(told)
    recipient.fails_with = None

    clock.move(CLAIM_SECONDS - 1)
    assert deliver_events(told) == 0
    clock.move(1)
    assert deliver_events(told) == 1
    assert len(recipient.events) == 2


def test_a_deliverer_that_is_too_slow_leaves_the_rest_to_the_next(
    told: Inventory, clock: Clock, recipient: Recipient
) -> None:
    for _ in range(4):
        create_product(told, quantity=5)
    slow = build_plugin_manager([recipient, Slow(clock, CLAIM_SECONDS / 3)])

    assert deliver_events(Inventory(told.sessions, slow, clock)) == 2
    assert deliver_events(told) == 2
    assert len(recipient.events) == 4


def test_at_most_as_many_as_asked_for_are_delivered(told: Inventory) -> None:
    for _ in range(5):
        create_product(told, quantity=1)

    assert [deliver_events(told, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_an_event_of_another_version_waits_for_a_program_that_knows_it(told: Inventory) -> None:
    create_product(told, "A-1", quantity=5)
    told.sessions.write(lambda session: session.execute(text("UPDATE outbox SET event = 'moon_landing'")))

    assert deliver_events(told) == 0
    assert pending(told) == [(1, "this program does not know events named moon_landing")]


class Slow:
    """Takes its time with each event."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        assert event.code
        self.clock.move(self.seconds)


def pending(inventory: Inventory) -> list[tuple[int, str]]:
    with inventory.sessions.reader() as session:
        return [(row[0], row[1]) for row in session.execute(text("SELECT attempts, last_error FROM outbox"))]


def pause(inventory: Inventory, clock: Clock) -> float:
    with inventory.sessions.reader() as session:
        due = session.scalar(text("SELECT due_at FROM outbox"))
    return (datetime.fromisoformat(str(due)).replace(tzinfo=UTC) - clock.now).total_seconds()
