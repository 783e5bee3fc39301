"""The application's account on MySQL may only add rows to the ledger, to operations and to the audit, and needs no more."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inventory_core import (
    Inventory,
    ProductDraft,
    SingleDatabase,
    StorageRefused,
    edit_product,
    import_table,
    undo_import,
)
from inventory_core.catalog.bulk_edit import SetMinimum, change_products, undo_products_change
from inventory_core.catalog.products import restore_product, retire_product
from inventory_core.catalog.selection import SelectedProduct, Selection
from inventory_core.queries.products import get_product
from inventory_core.stock.operations import count, issue, receive, transfer, undo_movement
from inventory_core.stock.outbox import deliver_events
from inventory_core.testing import create_location, create_product, new_request
from inventory_core.verification import verify
from inventory_replication.provisioning.plan.desired_state import Role, rights_of
from inventory_web.audit.log import Author
from inventory_web.audit.views import EventFilter, events_page, prune_events
from inventory_web.auth import authentication, throttling, users
from inventory_web.roles import Role as AccountRole
from tests.contracts.conftest import MYSQL
from tests.contracts.topologies import INSERT_ONLY, TABLES, Database
from tests.core.imports.files import table_of
from tests.web.browser import PASSWORD

ACCOUNT, SECRET = "least", "least-for-tests"
ON_MYSQL = pytest.mark.parametrize("topology", [MYSQL], indirect=True)


@pytest.fixture
def least(database: Database, ask_mysql: Callable[[str], None]) -> Iterator[Inventory]:
    """The test's database, opened by an account with the rights that provisioning grants to the application."""
    schema = str(database.engine.url.database)
    updatable = frozenset(table.name for table in TABLES) - set(INSERT_ONLY)
    ask_mysql(f"CREATE USER {ACCOUNT} IDENTIFIED BY '{SECRET}'")
    for right in rights_of(Role.APP, schema, updatable):
        ask_mysql(f"GRANT {right.privilege} ON `{schema}`.{f'`{right.table}`' if right.table else '*'} TO {ACCOUNT}")
    sessions = SingleDatabase.from_url(database.engine.url.set(username=ACCOUNT, password=SECRET))
    yield Inventory(sessions)
    sessions.close()
    ask_mysql(f"DROP USER {ACCOUNT}")


@ON_MYSQL
def test_least_privileges_suffice_for_receive_issue_transfer_count_undo_import_and_outbox(least: Inventory) -> None:
    create_location(least, "Sótano")
    create_product(least, "A-1", category="Muebles", quantity=9)
    receive(least, code="A-1", quantity=2, **new_request())
    moved = transfer(least, code="A-1", quantity=2, source=None, target="Sótano", **new_request())
    undo_movement(least, movement_id=moved.movement_ids[0], **new_request())
    request = new_request()
    assert issue(least, code="A-1", quantity=1, **request) == issue(least, code="A-1", quantity=1, **request)
    count(least, code="A-1", quantity=8, expected=10, **new_request())
    edit_product(least, code="A-1", draft=ProductDraft("A-2", "Mesa"), expected_version=1, **new_request())
    retire_product(least, code="A-2", **new_request())
    restore_product(least, code="A-2", **new_request())
    selection = Selection((SelectedProduct(get_product(least, "A-2").row.id),))
    change_products(least, selection=selection, change=SetMinimum(5), actor="ana", operation="change")
    undo_products_change(least, changed_operation="change", **new_request())
    imported = import_table(least, table_of([["code", "name", "quantity"], ["B-1", "Silla", "4"]]), **new_request())
    undo_import(least, import_operation=imported.operation, **new_request())
    deliver_events(least)

    assert get_product(least, "A-2").row.total == 8
    assert verify(least).faults == ()


@ON_MYSQL
def test_the_least_privileges_suffice_for_accounts_and_not_to_prune_the_audit(least: Inventory) -> None:
    users.add_account(least, name="olga", role=AccountRole.OPERATOR, password=PASSWORD)
    throttling.count_attempt(least, name_key="olga", address="192.0.2.1")
    token = authentication.log_in(least, name="olga", password=PASSWORD, address="192.0.2.1", idle=timedelta(hours=1))
    assert token is not None
    authentication.log_out(least, token, by=Author("olga"))

    with pytest.raises(StorageRefused, match="TRIGGER command denied"):
        prune_events(least, datetime(2100, 1, 1, tzinfo=UTC), by=Author("olga"))
    assert "login" in {row.event for row in events_page(least, EventFilter()).rows}


@ON_MYSQL
@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET at = at", "DELETE FROM {table}", "TRUNCATE TABLE {table}"])
def test_the_account_may_not_change_rows_that_are_insert_only(least: Inventory, table: str, statement: str) -> None:
    with pytest.raises((StorageRefused, DBAPIError), match="command denied"):
        least.sessions.write(lambda session: session.execute(text(statement.format(table=table))))
