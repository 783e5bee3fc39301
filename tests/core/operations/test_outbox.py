import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event as listeners
from sqlalchemy import text

from inventory_core import (
    Delivery,
    Inventory,
    SingleDatabase,
    StockChanged,
    build_plugin_manager,
    deliver_batch,
    discard_dead_letters,
    hookimpl,
    list_dead_letters,
    outbox_status,
    retry_dead_letters,
)
from inventory_core.database.columns import read_database_clock
from inventory_core.stock.operations import issue, receive
from inventory_core.stock.outbox import LEASE_SECONDS, MAX_ATTEMPTS, MAX_UNKNOWN_ATTEMPTS, deliver_events
from inventory_core.testing import create_product, new_request, temporary_inventory
from tests.core.outbox import due_in, let_pass

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


class Recipient:
    """Takes events, or fails as it was set to."""

    def __init__(self) -> None:
        self.events: list[StockChanged] = []
        self.fails_with: BaseException | None = None
        self.fails_for = ""

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        self.events.append(event)
        if self.fails_with is not None and event.code.startswith(self.fails_for):
            raise self.fails_with

    @property
    def codes(self) -> list[str]:
        return [event.code for event in self.events]


@pytest.fixture
def recipient() -> Recipient:
    return Recipient()


@pytest.fixture
def reported(tmp_path: Path, recipient: Recipient) -> Iterator[Inventory]:
    with temporary_inventory(tmp_path) as created:
        yield Inventory(created.sessions, build_plugin_manager([recipient]), lambda: AT)


def test_deliver_events_hands_over_a_committed_change_once(reported: Inventory, recipient: Recipient) -> None:
    create_product(reported, "A-1", name="Mesa", minimum=3)
    change = receive(reported, code="A-1", quantity=5, reason="compra", **new_request())

    assert (deliver_events(reported), deliver_events(reported)) == (1, 0)
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
            at=AT,
        )
    ]


def test_no_event_is_stored_without_listener(inventory: Inventory) -> None:
    create_product(inventory, "A-1", quantity=5)

    assert pending(inventory) == []
    assert deliver_events(inventory) == 0


def test_events_wait_while_no_plugin_listens(reported: Inventory) -> None:
    create_product(reported, "A-1", quantity=5)
    alone = Inventory(reported.sessions)

    assert deliver_events(alone) == 0
    assert deliver_events(reported) == 1


def test_a_refused_change_leaves_no_event(reported: Inventory) -> None:
    create_product(reported, "A-1")
    with pytest.raises(Exception, match="A-1"):
        issue(reported, code="A-1", quantity=1, **new_request())

    assert deliver_events(reported) == 0


def test_a_failed_event_is_retried_with_growing_pauses(
    reported: Inventory, recipient: Recipient, caplog: pytest.LogCaptureFixture
) -> None:
    create_product(reported, "A-1", quantity=5)
    recipient.fails_with = ValueError("no paper")

    pauses = []
    for _ in range(4):
        assert deliver_events(reported) == 0
        assert deliver_events(reported) == 0
        pauses.append(round(due_in(reported)))
        let_pass(reported, pauses[-1])

    assert pauses == [2, 4, 8, 16]
    assert pending(reported) == [(4, "ValueError: no paper")]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 4
    assert [record.exc_info is not None for record in caplog.records] == [True, False, False, False]
    recipient.fails_with = None
    assert deliver_events(reported) == 1
    assert len({event.id for event in recipient.events}) == 1
    assert pending(reported) == []


def test_a_failed_event_holds_up_its_own_product_only(reported: Inventory, recipient: Recipient) -> None:
    create_product(reported, "A-1", quantity=5)
    recipient.fails_with, recipient.fails_for = ValueError("no paper"), "A"
    deliver_events(reported)
    receive(reported, code="A-1", quantity=1, **new_request())
    create_product(reported, "B-2", quantity=5)
    receive(reported, code="B-2", quantity=1, **new_request())

    assert deliver_batch(reported) == Delivery(claimed=2, delivered=2)
    assert recipient.codes == ["A-1", "B-2", "B-2"]
    let_pass(reported, 2)
    recipient.fails_with = None
    assert deliver_events(reported) == 2
    assert [event.total for event in recipient.events[-2:]] == [5, 6]


def test_later_events_of_a_product_wait_for_one_that_fails_in_the_same_batch(
    reported: Inventory, recipient: Recipient
) -> None:
    create_product(reported, "A-1", quantity=5)
    receive(reported, code="A-1", quantity=1, **new_request())
    recipient.fails_with = ValueError("no paper")

    assert deliver_batch(reported) == Delivery(claimed=2, failed=1)
    assert [event.total for event in recipient.events] == [5]
    assert pending(reported) == [(1, "ValueError: no paper"), (0, "")]


def test_an_event_becomes_a_dead_letter_after_the_last_attempt_and_frees_its_product(
    reported: Inventory, recipient: Recipient, caplog: pytest.LogCaptureFixture
) -> None:
    create_product(reported, "A-1", quantity=5)
    receive(reported, code="A-1", quantity=1, **new_request())
    recipient.fails_with = ValueError("no paper")
    pauses = 0.0
    for _ in range(MAX_ATTEMPTS - 1):
        assert deliver_batch(reported).failed == 1
        pauses += due_in(reported)
        let_pass(reported, 3600)
    assert 9 * 3600 < pauses < 9.2 * 3600

    recipient.fails_with = None
    recipient.events.clear()
    reported.plugins.register(FailsFor(5))
    assert deliver_batch(reported) == Delivery(claimed=2, delivered=1, dead=1)
    (letter,) = list_dead_letters(reported)
    assert (letter.event, letter.attempts, letter.last_error) == ("stock_changed", MAX_ATTEMPTS, "ValueError: no")
    assert outbox_status(reported).dead_letters == 1
    assert "dead letter after 20 attempts" in caplog.records[-1].getMessage()


def test_a_dead_letter_can_be_retried_or_discarded(reported: Inventory, recipient: Recipient) -> None:
    for code in ("A-1", "B-2", "C-3"):
        create_product(reported, code, quantity=5)
    made_unknown(reported)
    for _ in range(MAX_UNKNOWN_ATTEMPTS):
        deliver_events(reported)
        let_pass(reported, 3600)
    first, second, third = (letter.id for letter in list_dead_letters(reported))
    reported.sessions.write(
        lambda session: session.execute(text("UPDATE inventory_outbox_dead_letter SET event = 'stock_changed'"))
    )

    assert retry_dead_letters(reported, (first, first + 1000)) == 1
    assert discard_dead_letters(reported, (second,)) == 1
    assert [letter.id for letter in list_dead_letters(reported)] == [third]
    assert retry_dead_letters(reported) == 1
    assert deliver_events(reported) == 2
    assert recipient.codes == ["A-1", "C-3"]
    assert outbox_status(reported).dead_letters == 0


def test_an_unknown_event_waits_for_an_upgrade_and_then_becomes_a_dead_letter(
    reported: Inventory, recipient: Recipient
) -> None:
    create_product(reported, "A-1", quantity=5)
    made_unknown(reported)

    assert deliver_batch(reported) == Delivery(claimed=1, failed=1)
    assert pending(reported) == [(1, "this program does not know events named moon_landing")]
    for _ in range(MAX_UNKNOWN_ATTEMPTS - 2):
        let_pass(reported, 3600)
        assert deliver_batch(reported).failed == 1
    let_pass(reported, 3600)
    assert deliver_batch(reported) == Delivery(claimed=1, dead=1)
    assert [(letter.event, letter.attempts) for letter in list_dead_letters(reported)] == [
        ("moon_landing", MAX_UNKNOWN_ATTEMPTS)
    ]
    assert pending(reported) == []
    assert recipient.events == []


def test_an_event_whose_payload_cannot_be_read_is_treated_as_unknown(reported: Inventory) -> None:
    create_product(reported, "A-1", quantity=5)
    reported.sessions.write(lambda session: session.execute(text("UPDATE inventory_outbox SET payload = '{}'")))

    assert deliver_batch(reported) == Delivery(claimed=1, failed=1)
    assert pending(reported) == [(1, "this program cannot read the event: KeyError('at')")]


def test_the_claim_of_a_relay_that_died_expires(reported: Inventory, recipient: Recipient) -> None:
    create_product(reported, "A-1", quantity=5)
    recipient.fails_with = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        deliver_events(reported)
    recipient.fails_with = None

    assert LEASE_SECONDS - 2 < due_in(reported) <= LEASE_SECONDS
    let_pass(reported, LEASE_SECONDS - 5)
    assert deliver_events(reported) == 0
    let_pass(reported, 5)
    assert deliver_events(reported) == 1
    assert len(recipient.events) == 2


def test_a_claim_and_its_events_do_not_depend_on_the_clock_of_the_process(
    reported: Inventory, recipient: Recipient
) -> None:
    for ahead in (timedelta(hours=1), timedelta(hours=-1)):
        elsewhere = Inventory(reported.sessions, reported.plugins, partial(now_plus, ahead))
        create_product(elsewhere, quantity=5)

        assert deliver_events(elsewhere) == 1
    assert len(recipient.events) == 2


def test_a_slow_batch_leaves_the_rest_to_the_next(reported: Inventory, recipient: Recipient) -> None:
    for _ in range(4):
        create_product(reported, quantity=5)
    slow = Inventory(reported.sessions, build_plugin_manager([recipient, Slow(0.15)]))

    assert deliver_batch(slow, lease_seconds=0.5) == Delivery(claimed=4, delivered=2)
    assert deliver_events(reported) == 2
    assert len(recipient.events) == 4


def test_a_stopped_batch_puts_the_rest_back(reported: Inventory, recipient: Recipient) -> None:
    for _ in range(3):
        create_product(reported, quantity=5)

    assert deliver_batch(reported, is_stopping=lambda: bool(recipient.events)) == Delivery(claimed=3, delivered=1)
    assert deliver_events(reported) == 2


def test_a_late_settlement_does_not_touch_what_another_has_claimed(reported: Inventory) -> None:
    create_product(reported, "A-1", quantity=5)

    class LosesItsLease:
        @hookimpl
        def after_stock_change(self, event: StockChanged) -> None:
            assert event.code == "A-1"
            reported.sessions.write(
                lambda session: session.execute(text("UPDATE inventory_outbox SET claim = 'another'"))
            )

    deliver_events(Inventory(reported.sessions, build_plugin_manager([LosesItsLease()])))

    assert len(pending(reported)) == 1


def test_deliver_events_delivers_at_most_its_limit(reported: Inventory) -> None:
    for _ in range(5):
        create_product(reported, quantity=1)

    assert [deliver_events(reported, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_many_events_of_one_product_come_in_one_batch_in_order(reported: Inventory, recipient: Recipient) -> None:
    create_product(reported, "A-1")
    for _ in range(6):
        receive(reported, code="A-1", quantity=1, **new_request())

    assert (deliver_events(reported, limit=4), deliver_events(reported, limit=4)) == (4, 2)
    assert [event.total for event in recipient.events] == [1, 2, 3, 4, 5, 6]


def test_an_idle_look_is_one_read_only_statement_on_an_index(reported: Inventory, recipient: Recipient) -> None:
    create_product(reported, "A-1", quantity=5)
    recipient.fails_with = ValueError("no paper")
    deliver_events(reported)
    receive(reported, code="A-1", quantity=1, **new_request())

    with statements(reported) as (read, written):
        assert deliver_batch(reported) == Delivery()

    assert len(read) == 1
    assert written == []
    with reported.sessions.reader() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {read[0][0]}", read[0][1]).all()
    assert all("SEARCH" in row[3] or "SUBQUERY" in row[3] for row in plan), plan


def test_outbox_status_reports_what_waits_and_for_how_long(reported: Inventory) -> None:
    assert outbox_status(reported).waiting == 0
    assert outbox_status(reported).oldest_age_seconds == 0
    with reported.sessions.reader() as session:
        now = read_database_clock(session.connection())
    hour_ago = Inventory(reported.sessions, reported.plugins, lambda: now - timedelta(hours=1))
    create_product(hour_ago, "A-1", quantity=5)
    create_product(reported, "B-2", quantity=5)

    status = outbox_status(reported)

    assert (status.waiting, status.dead_letters) == (2, 0)
    assert 3600 <= status.oldest_age_seconds < 3700


class Slow:
    """Takes its time with each event."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        assert event.code
        time.sleep(self.seconds)


class FailsFor:
    """Does not take the event that reports a total."""

    def __init__(self, total: int) -> None:
        self.total = total

    @hookimpl
    def after_stock_change(self, event: StockChanged) -> None:
        if event.total == self.total:
            raise ValueError("no")


def now_plus(ahead: timedelta) -> datetime:
    return datetime.now(UTC) + ahead


def made_unknown(inventory: Inventory) -> None:
    inventory.sessions.write(
        lambda session: session.execute(text("UPDATE inventory_outbox SET event = 'moon_landing'"))
    )


def pending(inventory: Inventory) -> list[tuple[int, str]]:
    with inventory.sessions.reader() as session:
        return [
            (row[0], row[1])
            for row in session.execute(text("SELECT attempts, last_error FROM inventory_outbox ORDER BY id"))
        ]


@contextmanager
def statements(inventory: Inventory) -> Iterator[tuple[list[tuple[str, tuple[object, ...]]], list[str]]]:
    """Collect what the reading engine and what the writing engine executes."""
    assert isinstance(inventory.sessions, SingleDatabase)
    read: list[tuple[str, tuple[object, ...]]] = []
    written: list[str] = []
    reading, writing = inventory.sessions.engines

    def reads(*given: object) -> None:
        parameters = given[3]
        assert isinstance(parameters, tuple)
        read.append((str(given[2]), parameters))

    def writes(*given: object) -> None:
        written.append(str(given[2]))

    listeners.listen(reading, "before_cursor_execute", reads)
    listeners.listen(writing, "before_cursor_execute", writes)
    try:
        yield read, written
    finally:
        listeners.remove(reading, "before_cursor_execute", reads)
        listeners.remove(writing, "before_cursor_execute", writes)
