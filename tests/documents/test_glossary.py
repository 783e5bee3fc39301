"""docs/glossary.md explains each term once and matches the interface."""

import re
from pathlib import Path

import pytest

from inventory_web.i18n.catalogues import BUILT_IN, read_catalogues

TEXT = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!---|word)([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
ON_THE_SCREEN = re.findall(r"^\| (?!---|Spanish)([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)


def test_glossary_explains_each_term_once() -> None:
    words = [word for words, _, _ in ROWS for word in words.split(", ")]

    assert len(words) >= 30
    assert len(set(words)) == len(words)


def test_glossary_translates_each_term() -> None:
    uneven = [words for words, spanish, _ in ROWS if "," in words and words.count(",") != spanish.count(",")]

    assert uneven == []


@pytest.mark.parametrize(("spanish", "english"), ON_THE_SCREEN)
def test_glossary_matches_the_interface(spanish: str, english: str) -> None:
    assert read_catalogues("en", [BUILT_IN]).gettext(spanish) == english
    assert spanish != english
