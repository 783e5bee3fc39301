"""Texts: their folded forms are current, and names hold no invisible characters."""

from collections.abc import Iterator

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from inventory_core.models import CATEGORY, LOCATION, PRODUCT
from inventory_core.operations.verifications.fault import VerificationFault
from inventory_core.rules.texts import code_key, invisible_characters, search_text, sort_key

CHECK = "folded text is that of the text"
VISIBLE = "names hold no invisible characters"


def faults(session: Session) -> Iterator[VerificationFault]:
    """Keys and search texts that another version of the rules, or somebody by hand, has written."""
    yield from _name_keys(session, CATEGORY)
    yield from _name_keys(session, LOCATION)
    columns = (
        PRODUCT.c.code,
        PRODUCT.c.name,
        PRODUCT.c.description,
        CATEGORY.c.name,
        PRODUCT.c.code_key,
        PRODUCT.c.name_key,
        PRODUCT.c.search_text,
    )
    statement = select(*columns).select_from(PRODUCT.outerjoin(CATEGORY, CATEGORY.c.id == PRODUCT.c.category_id))
    for code, name, description, category, *found in session.execute(statement, execution_options={"yield_per": 1000}):
        for column, text in (("code", code), ("name", name)):
            yield from invisible_faults(f"product {code}, {column}", text)
        wanted = [code_key(code), sort_key(name), search_text(code, name, description, category or "")]
        for column, expected, stored in zip(("code_key", "name_key", "search_text"), wanted, found, strict=True):
            if expected != stored:
                yield VerificationFault(CHECK, f"product {code}, {column}", expected, stored)


def _name_keys(session: Session, table: Table) -> Iterator[VerificationFault]:
    for name, key in session.execute(select(table.c.name, table.c.name_key)):
        yield from invisible_faults(f"{table.name} {name}, name", name)
        if key != sort_key(name):
            yield VerificationFault(CHECK, f"{table.name} {name}, name_key", sort_key(name), key)


def invisible_faults(where: str, text: str) -> Iterator[VerificationFault]:
    """Names with format characters, which an earlier version or another program has written."""
    if found := invisible_characters(text):
        yield VerificationFault(VISIBLE, show_invisible(where), "none", " ".join(found))


def show_invisible(text: str) -> str:
    """The text with each invisible character as ``<U+200B>``, so that a person sees where it is."""
    return "".join(f"<{found[0]}>" if (found := invisible_characters(char)) else char for char in text)
