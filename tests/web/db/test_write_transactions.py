"""How many write transactions a request costs with the shipped areas."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, event

from inventory_core import Inventory, SingleDatabase, new_operation_id
from inventory_core.stock.operations import receive
from inventory_core.testing import create_product
from tests.web.browser import PASSWORD, Browser


@contextmanager
def write_transactions(sessions: SingleDatabase) -> Iterator[list[list[str]]]:
    """Collect the statements of each transaction that begins on the writing engine."""
    transactions: list[list[str]] = []

    def begin(_connection: Connection) -> None:
        transactions.append([])

    def execute(*given: object) -> None:
        transactions[-1].append(str(given[2]))

    event.listen(sessions.engine, "begin", begin)
    event.listen(sessions.engine, "before_cursor_execute", execute)
    try:
        yield transactions
    finally:
        event.remove(sessions.engine, "begin", begin)
        event.remove(sessions.engine, "before_cursor_execute", execute)


def mentions(transactions: list[list[str]], table: str) -> bool:
    return any(table in statement for statements in transactions for statement in statements)


def test_a_change_of_a_quantity_is_one_write_transaction_without_outbox(
    app: Flask, sessions: SingleDatabase, inventory: Inventory
) -> None:
    create_product(inventory, "A-1", quantity=5, minimum=5)
    browser = Browser(app).let_in("olga")
    browser.get("/products/A-1")

    with write_transactions(sessions) as transactions:
        answer = browser.post("/products/A-1/quantity", delta="1", expected="5", operation=new_operation_id())

    assert answer.status_code in (200, 303)
    assert len(transactions) == 1
    assert mentions(transactions, "inventory_movement")
    assert not mentions(transactions, "inventory_outbox")


def test_login_and_theme_use_no_outbox(app: Flask, sessions: SingleDatabase) -> None:
    browser = Browser(app)
    browser.get("/login")

    with write_transactions(sessions) as transactions:
        login = browser.post("/login", username="olga", password=PASSWORD)
        browser.get("/account/password")
        theme = browser.post("/account/theme", theme="dark")

    assert (login.status_code, theme.status_code) == (303, 303)
    assert mentions(transactions, "inventory_web_user_session")
    assert not mentions(transactions, "inventory_outbox")


def test_the_shipped_plugins_store_no_outbox_event(app: Flask, inventory: Inventory, sessions: SingleDatabase) -> None:
    create_product(inventory, "A-1", quantity=5, minimum=5)
    shipped = app.extensions["inventory"].inventory

    with write_transactions(sessions) as transactions:
        receive(shipped, code="A-1", quantity=1, actor="ana", operation=new_operation_id())

    assert len(transactions) == 1
    assert not mentions(transactions, "inventory_outbox")
