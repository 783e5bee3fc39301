"""Sessions, second factors and the audit, over each kind of database, on two instances side by side."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from inventory_core import Cursor, Inventory
from inventory_web.audit.log import Author, Event, log_event
from inventory_web.audit.views import EventFilter, event_kinds, events_page, iter_events, prune_events
from inventory_web.auth import authentication, throttling, two_factor, users
from inventory_web.context import CurrentUser
from inventory_web.errors import AccountRefused
from inventory_web.roles import Role
from tests.contracts.at_once import at_once
from tests.contracts.topologies import Database
from tests.web.browser import PASSWORD

KEY = "a key of tests, long and random 0123456789"
IDLE = timedelta(hours=1)
BY = Author("ada", "192.0.2.1", "a request")

MakeInventory = Callable[[], Inventory]


@pytest.fixture
def make_inventory(database: Database) -> MakeInventory:
    """What an instance works with; the accounts are there already."""
    made: list[Inventory] = []

    def make() -> Inventory:
        inventory = Inventory(database.open_another() if made else database.sessions)
        if not made:
            for name, role in {"olga": Role.OPERATOR, "ada": Role.ADMIN}.items():
                users.add_account(inventory, name=name, role=role, password=PASSWORD)
        made.append(inventory)
        return inventory

    return make


def logged_in(inventory: Inventory, name: str) -> tuple[str, CurrentUser]:
    token = authentication.log_in(inventory, name=name, password=PASSWORD, address="192.0.2.1", idle=IDLE)
    assert token is not None
    account = authentication.find_account(inventory, token, idle=IDLE, address="192.0.2.1", at_once=True)
    assert account is not None
    return token, account


def enrolled(inventory: Inventory) -> tuple[CurrentUser, str, tuple[str, ...]]:
    """An account whose second factor is on, its secret and its recovery codes; one code was used."""
    _, account = logged_in(inventory, "olga")
    two_factor.begin(inventory, account, secret_keys=(KEY,))
    secret = two_factor.two_factor_status(inventory, account, secret_keys=(KEY,)).secret
    assert two_factor.confirm(inventory, account, pyotp.TOTP(secret).now(), secret_keys=(KEY,), by=BY)
    return account, secret, two_factor.two_factor_status(inventory, account, secret_keys=(KEY,)).fresh


def test_a_session_that_was_ended_changes_nothing_from_then_on_on_any_instance(make_inventory: MakeInventory) -> None:
    one, two = make_inventory(), make_inventory()
    token, _ = logged_in(one, "olga")
    _, other = logged_in(two, "olga")
    (ended,) = [each.id for each in authentication.sessions_of(two, other, idle=IDLE) if not each.here]

    assert authentication.end_session(two, other, ended, by=BY)
    assert authentication.find_account(one, token, idle=IDLE, address="", at_once=True) is None
    assert not authentication.end_session(two, other, ended, by=BY)


def test_second_factor_code_sent_many_times_at_once_counts_once(make_inventory: MakeInventory) -> None:
    instances = [make_inventory(), make_inventory()]
    account, secret, codes = enrolled(instances[0])
    following = pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=two_factor.STEP_SECONDS))

    def send(code: str) -> list[bool]:
        return at_once(
            6,
            lambda which: two_factor.check(instances[which % 2], account.id, code, secret_keys=(KEY,), by=BY),
        )

    assert sorted(send(following)) == [False] * 5 + [True]
    assert sorted(send(codes[0])) == [False] * 5 + [True]
    assert two_factor.two_factor_status(instances[0], account, secret_keys=(KEY,)).codes_left == 9


def test_the_second_factor_is_required_until_it_is_removed(make_inventory: MakeInventory) -> None:
    inventory, other = make_inventory(), make_inventory()
    enrolled(inventory)
    known = authentication.check_password(other, name="olga", password=PASSWORD, by=BY)

    assert known is not None
    assert known.second_factor
    assert authentication.log_in(other, name="olga", password=PASSWORD, address="192.0.2.1", idle=IDLE) is None
    assert two_factor.disable(other, name="OLGA", by=BY)
    assert not two_factor.disable(inventory, name="olga", by=BY)
    throttling.forgive(inventory, name_key="olga", address="192.0.2.1")
    logged_in(inventory, "olga")


def test_two_administrators_who_demote_one_another_at_the_same_instant_do_not_both_succeed(
    make_inventory: MakeInventory,
) -> None:
    instances = [make_inventory(), make_inventory()]
    names = ("ada", "admin")

    def demote(which: int) -> bool:
        try:
            users.set_role(instances[which], name=names[which], role=Role.VIEWER)
        except AccountRefused:
            return False
        return True

    assert sorted(at_once(2, demote)) == [False, True]


def test_accounts_are_listed_searched_and_paged(make_inventory: MakeInventory) -> None:
    inventory = make_inventory()
    users.add_account(inventory, name="100% Íñigo_😀", role=Role.VIEWER, password=PASSWORD)
    logged_in(inventory, "ada")
    rows = {row.name: row for row in users.list_accounts(inventory)}

    assert list(rows) == ["100% Íñigo_😀", "ada", "admin", "olga"]
    assert rows["ada"].sessions == 1
    assert rows["ada"].logged_in_at is not None
    assert not rows["ada"].second_factor
    assert [row.name for row in users.list_accounts(inventory, after=Cursor("ada", 1), limit=1)] == ["admin"]
    assert [row.name for row in users.list_accounts(inventory, search="0% ÍÑIGO_")] == ["100% Íñigo_😀"]
    assert users.list_accounts(inventory, search="0_") == ()


def test_a_form_is_kept_with_the_session_that_began_after_it(make_inventory: MakeInventory) -> None:
    inventory = make_inventory()
    known = authentication.check_password(inventory, name="ada", password=PASSWORD, by=BY)
    assert known is not None
    typed = "«ñ» 😀" * 40_000
    now = inventory.clock()
    token = inventory.sessions.write(
        lambda session: authentication.add_session(
            session, known, now=now, by=BY, idle=IDLE, agent="Firefox/145.0", kept=typed
        )
    )
    account = authentication.find_account(inventory, token or "", idle=IDLE, address="", at_once=True)
    assert account is not None

    assert authentication.kept_form(inventory, account) == typed
    authentication.drop_kept_form(inventory, account)
    assert authentication.kept_form(inventory, account) is None


def test_the_audit_is_filtered_paged_streamed_and_pruned(make_inventory: MakeInventory) -> None:
    inventory = make_inventory()
    for number in range(7):
        log_event(inventory, Event.LOGIN, by=Author("Íñigo 😀"), subject="A«ñ»", agent="x" * 2000, rows=number)
    log_event(inventory, "my_plugin", by=BY)
    wanted = EventFilter(person="íÑIGO 😀", event=Event.LOGIN)
    first = events_page(inventory, wanted, size=5)
    second = events_page(inventory, wanted, after=first.next, size=5)

    assert [row.details["rows"] for row in (*first.rows, *second.rows)] == [6, 5, 4, 3, 2, 1, 0]
    assert second.next is None
    assert first.rows[0].at.tzinfo is not None
    assert "my_plugin" in event_kinds(inventory)
    assert len(list(iter_events(inventory, wanted))) == 7
    now = inventory.clock()
    assert events_page(inventory, EventFilter(since=now + timedelta(minutes=1))).rows == ()
    assert prune_events(inventory, now + timedelta(minutes=1), by=BY) >= 8
    assert [row.event for row in events_page(inventory, EventFilter()).rows] == [Event.AUDIT_PRUNED]
