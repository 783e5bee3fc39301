"""What the sums of the dashboard cost: one statement each, and never a walk through the whole ledger."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from inventory_core import Inventory
from inventory_core.queries.reports import lowest_stock, movements_by_day, products_running_out, stock_by_category
from inventory_core.testing import counted_statements, create_product

QUESTIONS: dict[str, Callable[[Inventory], object]] = {
    "categories": stock_by_category,
    "days": lambda inventory: movements_by_day(inventory, days=90),
    "running out": products_running_out,
    "lowest": lowest_stock,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_one_statement(inventory: Inventory, question: str) -> None:
    create_product(inventory, quantity=3, minimum=5)

    with counted_statements() as statements:
        QUESTIONS[question](inventory)

    assert len(statements) == 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_tables_are_read_by_their_indexes(inventory: Inventory, question: str) -> None:
    with counted_statements() as statements:
        QUESTIONS[question](inventory)
    with inventory.sessions.reader() as session:
        marks = statements[0].count("?")
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[0]}", (0,) * marks)
        steps = [str(row[-1]) for row in plan]
        assert session.scalar(text("SELECT 1")) == 1

    read = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    assert any("COVERING INDEX" in step for step in read)
    assert not [step for step in read if step in ("SCAN movement", "SCAN product")]
    assert not [
        step
        for step in read
        if "ix_inventory_movement_product_id_id" in step or "ix_inventory_product_category_id" in step
    ]
