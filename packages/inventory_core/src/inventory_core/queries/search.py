"""The search: which products contain every word of a query."""

from sqlalchemy import ColumnElement, func

from inventory_core.queries.stored import PRODUCT


def contains(word: str) -> ColumnElement[bool]:
    """The exact test: the word stands somewhere in the folded text. No character has a special meaning."""
    return func.instr(PRODUCT.c.search_text, word) > 0
