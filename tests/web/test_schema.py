"""The web's own tables: models and migrations agree, both ways, beside the core's chain."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlmodel import col

from inventory_core import CORE_SCHEMA, SchemaNotCurrent, SingleDatabase
from inventory_web.auth.models import User
from inventory_web.auth.passwords import INITIAL_NAME, INITIAL_PASSWORD, matches
from inventory_web.db.schema import WEB_SCHEMA, require_current, upgrade_all
from inventory_web.db.tables import metadata
from inventory_web.jobs.models import JobChunk, JobRow, JobState


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


@pytest.mark.parametrize(
    ("before", "table", "columns"),
    [
        ("0002", "user", {"language", "theme", "logged_in_at"}),
        ("0003", "user", {"theme", "logged_in_at"}),
        ("0003", "user_session", {"agent", "kept"}),
    ],
)
def test_what_a_step_adds_to_a_table_comes_and_goes_with_it_and_the_accounts_stay(
    empty: SingleDatabase, before: str, table: str, columns: set[str]
) -> None:
    upgrade_all(empty.engine)
    WEB_SCHEMA.downgrade(empty.engine, before)
    old = {column["name"] for column in inspect(empty.engine).get_columns(table)}
    upgrade_all(empty.engine)
    new = {column["name"] for column in inspect(empty.engine).get_columns(table)}
    with empty.reader() as session:
        users = [(user.name, user.language) for user in session.scalars(select(User))]

    assert new - old == columns
    assert users == [(INITIAL_NAME, None)]


def test_upgrading_again_keeps_what_is_there(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    upgrade_all(empty.engine)
    with empty.reader() as session:
        users = session.scalars(select(User).order_by(col(User.id))).all()
        found = [
            (user.name, user.role, user.provisional, matches(user.password_hash, INITIAL_PASSWORD)) for user in users
        ]

    assert found == [(INITIAL_NAME, "admin", True, True)]


def test_imports_of_an_older_program_become_jobs_and_those_that_were_done_go_back(empty: SingleDatabase) -> None:
    upgrade_all(empty.engine)
    WEB_SCHEMA.downgrade(empty.engine, "0005")
    columns = "id, filename, sheet, size, actor, state, stage, done_rows, total_rows, outcome, created_at, touched_at"
    with empty.engine.begin() as connection:
        for name in ("reading", "ready", "importing", "done"):
            values = f"'{name}', 'a.csv', 'Hoja', 4, 'olga', '{name}', '', 0, 0, '', '2026-01-01', '2026-01-01'"
            connection.execute(text(f"INSERT INTO import_job ({columns}) VALUES ({values})"))  # noqa: S608 - of this test
        connection.execute(text("INSERT INTO import_chunk VALUES ('ready', 0, x'41')"))
    upgrade_all(empty.engine)
    with empty.reader() as session:
        found = {row.id: (row.kind, row.step, row.state, row.request) for row in session.scalars(select(JobRow))}
        pieces = [(piece.job_id, piece.content) for piece in session.scalars(select(JobChunk))]
    WEB_SCHEMA.downgrade(empty.engine, "0005")
    with empty.engine.connect() as connection:
        back = connection.execute(text("SELECT id, filename FROM import_job")).all()

    request = '{"sheet": "Hoja", "by": "olga"}'
    assert found == {
        "reading": ("import", "check", JobState.WAITING, request),
        "ready": ("import", "import", JobState.READY, request),
        "importing": ("import", "import", JobState.WAITING, request),
        "done": ("import", "import", JobState.DONE, request),
    }
    assert pieces == [("ready", b"A")]
    assert [tuple(row) for row in back] == [("done", "a.csv")]
