"""The words of the glossary are the words of the code."""

import re
from pathlib import Path

import pytest

from inventory_web.catalogues import BUILT_IN, read_catalogues

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "glossary.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| (?!---|word)([^|]+) \| ([^|]+) \| ([^|]+) \|$",
    TEXT,
    re.MULTILINE,
)
ON_THE_SCREEN = re.findall(r"^\| (?!---|Spanish)([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
WORDS = [word for words, _, _ in ROWS for word in words.split(", ")]
CODE = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "packages").glob("*/src/**/*.py"))).lower()


def test_each_word_is_explained_once() -> None:
    assert len(WORDS) >= 30
    assert len(set(WORDS)) == len(WORDS)


def test_as_many_spanish_words_stand_beside_several_english_ones() -> None:
    uneven = [words for words, spanish, _ in ROWS if "," in words and words.count(",") != spanish.count(",")]

    assert uneven == []


@pytest.mark.parametrize(("spanish", "english"), ON_THE_SCREEN)
def test_the_pages_call_it_what_the_glossary_says(spanish: str, english: str) -> None:
    assert read_catalogues("en", [BUILT_IN]).gettext(spanish) == english
    assert spanish != english


@pytest.mark.parametrize("word", WORDS)
def test_the_code_uses_the_word(word: str) -> None:
    assert re.search(rf"\b{re.escape(word.lower())}", CODE)
