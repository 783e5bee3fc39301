"""SQL comments with the request id, visible in MySQL's process list, slow log and performance schema."""

import re
from typing import Any

from sqlalchemy import Connection, Engine, event

from inventory_web.context import REQUEST_ID, SAFE_ID

_FIRST_WORD = re.compile(r"\s*\w+")


def comment_statements(engine: Engine) -> None:
    """Start every statement of this engine with ``/* request=<id> */`` if it is a MySQL engine.

    The comment is added when the text is sent to the driver, so SQLAlchemy's cache of compiled statements is not affected.
    Statements outside of a request do not change.
    """
    if engine.dialect.name == "mysql":
        event.listen(engine, "before_cursor_execute", _with_request, retval=True)


def commented(statement: str, request_id: str, *, many: bool = False) -> str:
    """Return the statement with the id, or unchanged if the id is not safe in a comment.

    ``many``: for ``executemany``, which the driver batches only if the text begins with ``INSERT``.
    """
    if not SAFE_ID.fullmatch(request_id):
        return statement
    if not many:
        return f"/* request={request_id} */ {statement}"
    first = _FIRST_WORD.match(statement)
    end = first.end() if first else 0
    # A hint is valid only directly after the first word.
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
