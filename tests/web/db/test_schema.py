"""The web's tables: models and migrations agree, both ways, alongside the core's chain."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlmodel import col

from inventory_core import CORE_SCHEMA, SchemaNotCurrent, SingleDatabase
from inventory_web.auth.users import INITIAL_NAME, INITIAL_PASSWORD, matches
from inventory_web.db.models import JobRow, User, metadata
from inventory_web.db.schema import WEB_SCHEMA, require_current, upgrade_all


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SingleDatabase]:
    sessions = SingleDatabase.from_file(tmp_path / "empty.db")
    yield sessions
    sessions.close()


def test_the_migrations_make_what_the_models_say(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    with empty.engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert JobRow.metadata is metadata
    assert differences == []


def test_the_way_down_leaves_the_tables_of_the_core_alone(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    before = set(inspect(empty.engine).get_table_names())
    WEB_SCHEMA.downgrade(empty.engine, "base")
    left = set(inspect(empty.engine).get_table_names())
    CORE_SCHEMA.require_current(empty.engine)

    assert before - left == set(metadata.tables)
    with pytest.raises(SchemaNotCurrent):
        require_current(empty.engine)

    upgrade_all(empty.engine)
    require_current(empty.engine)


def test_upgrading_again_keeps_what_is_there(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    upgrade_all(empty.engine)
    with empty.reader() as session:
        users = session.scalars(select(User).order_by(col(User.id))).all()
        found = [
            (user.name, user.role, user.provisional, matches(user.password_hash, INITIAL_PASSWORD)) for user in users
        ]

    assert found == [(INITIAL_NAME, "admin", True, True)]
