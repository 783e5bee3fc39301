"""What units of work refuse: writes in readers, before anything is sent, and the end of a write's transaction by its work.

The database refuses the rest of what a reader must not do: its session is read-only.

Statements are checked when they leave SQLAlchemy, so it makes no difference whether they come from a flush, a query, a bulk
operation, `text()` or the connection. The result for a text is cached: a program has few of them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy import Connection, Engine, TextClause, TextualSelect, event
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.orm import FromStatement, Session

from inventory_replication.errors import ReadOnlyUnitError, UnitOfWorkMisused

DECLARED = "read_only"
"""Execution option that declares a `text()` or a statement of the driver as read-only."""

MAX_CACHED_VERDICTS: Final = 4096
_WORK_RUNS: Final = "inventory_replication.work_runs"

S = TypeVar("S", bound=Session)

_CURE = "Writes go through write(work)."

_HIDDEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*` | --\s[^\n]* | \#[^\n]* | /\*(?!!).*?\*/
    | %\(\w+\)s""",
    re.VERBOSE | re.DOTALL,
)
_OPENS: Final = {
    "select",
    "with",
    "values",
    "table",
    "show",
    "explain",
    "describe",
    "desc",
    "savepoint",
    "release",
    "rollback",
}
_FIRST_WORD = re.compile(r"[\s(]*([a-z_]+)")
_LOCKS = re.compile(r"\bfor\s+(?:update|share)\b|\block\s+in\s+share\s+mode\b")
_CHANGES = re.compile(r"\b(?:update|delete)\b|\binto\b")
_CALLS = re.compile(r"\b(?:get_lock|release_lock|release_all_locks|service_get_\w+_locks|service_release_locks)\s*\(")

_verdicts: dict[str, str] = {}


def refuse_writes_on(engine: Engine) -> None:
    """Check every statement that an engine sends.

    `ReadOnlyUnitError` is raised, and nothing is sent, for DML and DDL in any form, locking reads, functions that take locks,
    ``CALL``, ``SET``, temporary tables and ``SELECT … INTO``, and for every `text()` or driver statement without
    ``execution_options(read_only=True)``.
    """
    event.listen(engine, "before_cursor_execute", _before_execute)


def reading_class(session_class: type[S]) -> type[S]:
    """Return a subclass for readers, which refuses to flush."""
    made = type(f"Reading{session_class.__name__}", (session_class,), {})
    event.listen(made, "before_flush", _before_flush)
    return made


class _WritingSession(Session):
    """The session of a write. Its transaction must not be ended by the work."""

    work_runs = False

    def commit(self) -> None:
        self._refuse_in_work("commit")
        super().commit()

    def rollback(self) -> None:
        self._refuse_in_work("rollback")
        super().rollback()

    def close(self) -> None:
        self._refuse_in_work("close")
        super().close()

    def _refuse_in_work(self, action: str) -> None:
        if self.work_runs:
            raise_misuse(action)


def writing_class(session_class: type[S]) -> type[S]:
    """Return a subclass for writes, which refuses to end its transaction while the work runs."""
    return type(f"Writing{session_class.__name__}", (_WritingSession, session_class), {})


def refuse_commits_in_work(engine: Engine) -> None:
    """Refuse a commit through the connection while the work of a write runs on it."""
    event.listen(engine, "commit", _refuse_commit)


@contextmanager
def work_running(session: Session, connection: Connection) -> Iterator[None]:
    """Protect the transaction of a session of `writing_class` within a block."""
    if not isinstance(session, _WritingSession):
        raise TypeError(f"{type(session).__name__} was not made by writing_class()")
    marks = connection.info
    marks[_WORK_RUNS] = session.work_runs = True
    try:
        yield
    finally:
        marks.pop(_WORK_RUNS, None)
        session.work_runs = False


def raise_misuse(action: str) -> NoReturn:
    """Raise ``UnitOfWorkMisused`` for work that called ``action``: ``commit``, ``rollback`` or ``close``."""
    raise UnitOfWorkMisused(
        f"The work of a write must not call {action}(). Nothing was changed: leave it out, the write commits when the work "
        "returns and rolls back when it raises.",
        action=action,
    )


def _refuse_commit(connection: Connection) -> None:
    if _WORK_RUNS in connection.info:
        raise_misuse("commit")


def find_objection(statement: str) -> str:
    """Return why a reader must not send this text; empty if it may."""
    bare = _HIDDEN.sub(" ", statement).replace("/*!", " ").lower()
    first = _FIRST_WORD.match(bare)
    word = first[1] if first else ""
    if word not in _OPENS:
        return f"A reader must not run a statement that begins with {word.upper() or 'no word'}."
    if _LOCKS.search(bare):
        return "A reader must not run a locking read (FOR UPDATE, FOR SHARE)."
    if word in {"select", "with", "values", "table", "explain"} and _CHANGES.search(bare):
        return "A reader must not run a statement that changes or stores data (UPDATE, DELETE, INTO)."
    if _CALLS.search(bare):
        return "A reader must not take or release a named lock (GET_LOCK and similar functions)."
    return ""


def _before_execute(
    connection: Connection,  # noqa: ARG001
    cursor: DBAPICursor,  # noqa: ARG001
    statement: str,
    parameters: object,  # noqa: ARG001
    context: ExecutionContext | None,
    executemany: bool,  # noqa: ARG001
) -> None:
    verdict = _verdicts.get(statement)
    if verdict is None:
        verdict = find_objection(statement)
        if len(_verdicts) >= MAX_CACHED_VERDICTS:
            _verdicts.clear()
        _verdicts[statement] = verdict
    if verdict:
        raise ReadOnlyUnitError(f"{verdict} Nothing was sent. {_CURE}")
    if context is not None and _is_textual(context) and not context.execution_options.get(DECLARED):
        raise ReadOnlyUnitError(
            "A reader got a statement as text, which may do anything. If it only reads, declare it:  "
            "text(...).execution_options(read_only=True). " + _CURE
        )


def _is_textual(context: ExecutionContext) -> bool:
    compiled = context.compiled
    if compiled is None:
        return True
    statement = compiled.statement
    if isinstance(statement, FromStatement):
        statement = statement.element
    return isinstance(statement, TextClause | TextualSelect)


def _before_flush(*_: Any) -> None:
    raise ReadOnlyUnitError(f"A reader's session must not store objects. Nothing was sent. {_CURE}")
