"""Tables whose rows are only ever added: triggers refuse every other change."""

from sqlalchemy import Connection, text

CHANGES = ("UPDATE", "DELETE")


def forbid_row_changes(connection: Connection, *tables: str) -> None:
    """Create the triggers that refuse to change or delete rows of ``tables``; those that exist are replaced.

    Does nothing on a database whose triggers this package does not know. On MySQL the account needs the privilege
    ``TRIGGER`` and, with a binary log, the server the setting ``log_bin_trust_function_creators``; on such a server each
    statement ends the transaction.
    """
    permit_row_changes(connection, *tables)
    for table in tables:
        for change in CHANGES:
            create = _creation(connection.dialect.name, table, change)
            if create:
                connection.execute(text(create))


def permit_row_changes(connection: Connection, *tables: str) -> None:
    """Drop these triggers, for a migration or to remove old rows."""
    if connection.dialect.name in _BODIES:
        for table in tables:
            for change in CHANGES:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {_name(table, change)}"))


_BODIES = {
    "sqlite": "BEGIN SELECT RAISE(ABORT, '{message}'); END",
    "mysql": "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'",
}


def _creation(dialect: str, table: str, change: str) -> str | None:
    body = _BODIES.get(dialect)
    if body is None:
        return None
    message = f"rows of {table} are insert only"
    return f"CREATE TRIGGER {_name(table, change)} BEFORE {change} ON {table} {body.format(message=message)}"


def _name(table: str, change: str) -> str:
    return f"{table}_no_{change.lower()}"
