"""Read the cursor of a page from its URL."""

from collections.abc import Mapping

from inventory_core import Cursor


def read_cursor(arguments: Mapping[str, str]) -> Cursor | None:
    """Return the cursor in ``after``; None for the first page. Raises ``InvalidInput`` for any other text."""
    after = arguments.get("after", "")
    return Cursor.parse(after) if after else None
