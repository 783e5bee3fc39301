"""The texts that the sources ask for, and the English ones that the catalogue has."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

import inventory_web

SOURCES = Path(inventory_web.__file__).parent
MAPPING = SOURCES.parents[1] / "babel.cfg"
CATALOGUE = SOURCES / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "N_": None}

Id = str | tuple[str, ...]


@cache
def asked_for() -> frozenset[Id]:
    """Every id in modules and templates; one with plurals is a pair."""
    methods = [(files, method) for method, files in re.findall(r"^\[(\w+): (.+)\]$", MAPPING.read_text(), re.MULTILINE)]
    found = extract_from_dir(str(SOURCES), methods, keywords=KEYWORDS)
    return frozenset(message for _, _, message, _, _ in found)


@cache
def english() -> Catalog:
    """The catalogue as it is written, with what is fuzzy or obsolete in it."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def known() -> Iterator[tuple[Id, Id, bool]]:
    """The id, its English text and whether it is marked as fuzzy, for each entry."""
    for message in english():
        if message.id:
            yield _text(message.id), _text(message.string), message.fuzzy


def _text(text: str | Sequence[str] | None) -> Id:
    return text if isinstance(text, str) else tuple(text or ())


def spanish_only() -> frozenset[str]:
    """Ids without parameters that no English page may show, since the English text is another one."""
    reported = {text for _, text, _ in known() if isinstance(text, str)}
    return frozenset(
        spanish
        for spanish, text, _ in known()
        if isinstance(spanish, str) and spanish != text and spanish not in reported and "%(" not in spanish
    )
