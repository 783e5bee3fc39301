"""The tour shows every generated picture once per language, with a description."""

import re
from pathlib import Path

import pytest

from docs.make_pictures import FOLDER, LANGUAGES, NARROW, PICTURES, WIDE

ROOT = Path(__file__).parents[2]
TOURS = {"en": ROOT / "docs" / "tour.md", "es": ROOT / "docs" / "tour.es.md"}
READMES = {"en": ROOT / "README.md", "es": ROOT / "README.es.md"}
LARGEST = 150_000
LARGEST_IN_ALL = 3_000_000


def shown(document: Path) -> list[tuple[str, str]]:
    """Return the description and the file name of each WebP picture in a document."""
    return re.findall(r"!\[([^\]]*)\]\((?:docs/)?pictures/([^)]+\.webp)\)", document.read_text("utf-8"))


def test_tour_pictures_are_those_of_the_script() -> None:
    made = {picture.file(name, language).name for name, picture in PICTURES.items() for language in LANGUAGES}

    assert {path.name for path in FOLDER.iterdir()} == made


@pytest.mark.parametrize("language", LANGUAGES)
def test_tour_shows_and_describes_every_picture_once(language: str) -> None:
    pictures = shown(TOURS[language])

    assert sorted(file for _, file in pictures) == sorted(f"{name}.{language}.webp" for name in PICTURES)
    assert [file for words, file in pictures if len(words) < 20] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_readme_shows_pictures_of_its_language(language: str) -> None:
    pictures = shown(READMES[language])

    assert 1 <= len(pictures) <= 2
    assert [file for _, file in pictures if not (FOLDER / file).is_file() or f".{language}." not in file] == []
    assert [file for words, file in pictures if len(words) < 20] == []


def test_tour_has_the_same_order_in_both_languages() -> None:
    orders = [[file.split(".")[0] for _, file in shown(TOURS[language])] for language in LANGUAGES]
    headings = [
        len(re.findall(r"^#+ ", TOURS[language].read_text("utf-8"), flags=re.MULTILINE)) for language in LANGUAGES
    ]

    assert orders[0] == orders[1]
    assert headings[0] == headings[1]


def test_tour_pictures_are_small_webp_files() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}

    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert sum(sizes.values()) < LARGEST_IN_ALL
    assert [path.name for path in FOLDER.iterdir() if path.read_bytes()[8:12] != b"WEBP"] == []


def test_tour_shows_phone_and_desktop_in_both_themes() -> None:
    assert {(picture.width, picture.dark) for picture in PICTURES.values()} == {
        (width, dark) for width in (WIDE, NARROW) for dark in (False, True)
    }
