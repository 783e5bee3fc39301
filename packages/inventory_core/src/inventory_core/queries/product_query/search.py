"""The search: finds the products that contain every word of a query, with the help of a trigram index.

An exact test decides whether a text contains a word; it has the same result on every database. On SQLite a full-text index
maps each group of three characters to products. It yields candidates for the test (a few too many, never too
few), so that not every text has to be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, LargeBinary, Select, TableClause, cast, column, func, literal, select, table
from sqlalchemy.orm import Session

from inventory_core.models import PRODUCT

MAX_CANDIDATES = 5_000
"""Up to this number of rows, fetching and sorting all is faster than scanning the index of the order."""

_SHORT_WORD_PRODUCTS = 20_000
_LAST = "\U0010ffff"
_NOWHERE = 3 * _LAST


@dataclass(frozen=True, slots=True)
class Candidates:
    """Products that may contain the words: those of ``ids``, or all if it is None; ``few``: at most ``MAX_CANDIDATES``."""

    ids: Select[tuple[int]] | None
    few: bool


def contains(word: str, dialect: str) -> ColumnElement[bool]:
    """Return the exact test: the folded text contains the word. No character has a special meaning."""
    text = PRODUCT.c.search_text
    if dialect == "sqlite":
        return func.instr(text, word) > 0
    if dialect == "mysql":
        # No UTF-8 character begins inside another one, so comparing bytes is equivalent; on MySQL it is three times as fast.
        return func.instr(cast(text, LargeBinary), word.encode()) > 0
    return text.contains(word, autoescape=True)


def find_candidates(session: Session, words: Sequence[str]) -> Candidates:
    """Query the index of SQLite for the words: one statement per word of one or two characters, and one for all others."""
    parts = [part for word in words if (part := _expression(session, word))]
    if not parts:
        return Candidates(None, few=False)
    index = _index()
    match = index.c[index.name].op("MATCH", is_comparison=True)(literal(" AND ".join(parts)))
    ids = select(index.c.rowid).where(match)
    few = fetch_if_few(session, ids)
    return Candidates(ids, few=False) if few is None else Candidates(few, few=True)


def fetch_if_few(session: Session, ids: Select[tuple[int]]) -> Select[tuple[int]] | None:
    """Look up these ids once for the whole query; None if there are more than ``MAX_CANDIDATES`` (SQLite)."""
    first = ids.limit(MAX_CANDIDATES + 1).subquery()
    number, listed = session.execute(select(func.count(), func.json_group_array(first.c[0]))).one()
    return ids_of_json(listed) if number <= MAX_CANDIDATES else None


def ids_of_json(listed: str) -> Select[tuple[int]]:
    """Return the ids of a JSON array, which may be long (SQLite): one value to bind, and nothing to look up again."""
    items = func.json_each(listed).table_valued("value", joins_implicitly=True)
    return select(items.c.value)


def _index() -> TableClause:
    """Return the full-text index. FTS5 names its column for MATCH like the table."""
    name = f"{PRODUCT.name}_search"
    return table(name, column("rowid"), column(name))


def _expression(session: Session, word: str) -> str | None:
    """Return the word for MATCH; None if it is too common for the index to help.

    Of a longer word, three groups are looked up: more would cost more time than they save, because hits are tested anyway.
    """
    if len(word) < 3:
        terms = _terms_with(session, word)
        return None if terms is None else f"({' OR '.join(map(_quoted, terms or [_NOWHERE]))})"
    last = len(word) - 3
    groups = dict.fromkeys(word[start : start + 3] for start in (0, last // 2, last))
    return " AND ".join(_quoted(group) for group in groups if "\0" not in group) or None


def _terms_with(session: Session, beginning: str) -> list[str] | None:
    """Return the groups of three with this beginning, unless they occur in too many products.

    Every character of a text begins a group, since two line ends close it. The list is read only as far as needed.
    """
    listed = table(f"{_index().name}_terms", column("term"), column("doc"))
    statement = select(listed.c.term, listed.c.doc).where(listed.c.term >= beginning, listed.c.term < beginning + _LAST)
    terms: list[str] = []
    products = 0
    with session.execute(statement, execution_options={"yield_per": 5}) as found:
        for term, number in found:
            products += number
            if products > _SHORT_WORD_PRODUCTS:
                return None
            terms.append(term)
    return terms


def _quoted(group: str) -> str:
    return '"' + group.replace('"', '""') + '"'
