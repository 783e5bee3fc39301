"""Each statement that a request sends to MySQL names it, so that process list, slow log and performance schema do."""

import re
from typing import Any

from sqlalchemy import Connection, Engine, event

from inventory_web.http.request_id import REQUEST_ID, SAFE_ID

_FIRST_WORD = re.compile(r"\s*\w+")


def comment_statements(engine: Engine) -> None:
    """Let every statement of this engine begin with ``/* request=<id> */``, if it is one of MySQL.

    The comment joins when the text is on its way to the driver: what SQLAlchemy compiled stays cached without it, and nothing
    more is sent. Statements outside of a request stay as they are.
    """
    if engine.dialect.name == "mysql":
        event.listen(engine, "before_cursor_execute", _with_request, retval=True)


def commented(statement: str, request_id: str, *, many: bool = False) -> str:
    """The statement with the id, or as it is if the id is none that is safe in a comment.

    ``many``: it goes with many rows, which the driver sends at once only if the text begins with ``INSERT``.
    """
    if not SAFE_ID.fullmatch(request_id):
        return statement
    if not many:
        return f"/* request={request_id} */ {statement}"
    first = _FIRST_WORD.match(statement)
    end = first.end() if first else 0
    # A hint counts only right after the first word.
    if statement[end:].lstrip().startswith("/*+"):
        return statement
    return f"{statement[:end]} /* request={request_id} */{statement[end:]}"


def _with_request(
    connection: Connection,  # noqa: ARG001
    cursor: Any,  # noqa: ARG001
    statement: str,
    parameters: Any,
    context: Any,  # noqa: ARG001
    executemany: bool,
) -> tuple[str, Any]:
    return commented(statement, REQUEST_ID.get(), many=executemany), parameters
