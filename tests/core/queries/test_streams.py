import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory_core import Inventory
from inventory_core.database.sql_batch import stream
from inventory_core.models import metadata
from inventory_core.testing import create_product

CODES = select(metadata.tables["inventory_product"].c.code).order_by(metadata.tables["inventory_product"].c.id)


def cache_size(session: Session) -> int:
    return int(session.connection().exec_driver_sql("PRAGMA cache_size").scalar_one())


def test_a_stream_uses_a_small_cache_and_restores_the_usual_one(inventory: Inventory) -> None:
    create_product(inventory, "A-1")
    create_product(inventory, "A-2")

    with inventory.sessions.reader() as session:
        usual = cache_size(session)
        with stream(session, CODES) as rows:
            small = cache_size(session)
            found = [row[0] for row in rows]

        assert found == ["A-1", "A-2"]
        assert abs(small) < abs(usual)
        assert cache_size(session) == usual


def test_a_stream_that_breaks_off_restores_the_usual_cache_too(inventory: Inventory) -> None:
    create_product(inventory, "A-1")

    with inventory.sessions.reader() as session:
        usual = cache_size(session)
        with pytest.raises(RuntimeError), stream(session, CODES):
            raise RuntimeError

        assert cache_size(session) == usual
