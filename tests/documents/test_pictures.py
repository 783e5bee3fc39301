"""The pictures of the documents: well formed, the same in both languages but for their words, and told in words besides."""

import re
from pathlib import Path
from xml.etree import ElementTree

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(DOCS.glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def test_each_picture_has_a_title_and_a_description_and_loads_nothing() -> None:
    for file in PICTURES:
        picture = ElementTree.parse(file).getroot()  # noqa: S314 - our own file

        assert picture.get("role") == "img"
        assert len(picture.findtext(f"{SVG}title", "")) > 10
        assert len(picture.findtext(f"{SVG}desc", "")) > 100
        assert not re.search(r"<(script|image|foreignObject)|href=|url\((?!#)", file.read_text("utf-8"))
    assert len(PICTURES) >= 2


def test_both_languages_draw_the_same() -> None:
    for file in PICTURES:
        if not file.stem.endswith(".es"):
            other = file.with_name(f"{file.stem}.es.svg")

            assert drawn(file) == drawn(other)


def test_each_picture_is_shown_by_the_document_of_its_language() -> None:
    for file in PICTURES:
        suffix = ".es" if file.stem.endswith(".es") else ""
        shown = [page for page in DOCS.glob(f"*{suffix}.md") if f"]({file.name})" in page.read_text("utf-8")]

        assert shown


def drawn(file: Path) -> list[tuple[str, str]]:
    """Shapes and where they are."""
    shapes = (f"{SVG}rect", f"{SVG}path")
    return [
        (each.tag, f"{each.get('d')} {each.get('x')} {each.get('y')} {each.get('width')}")
        for each in ElementTree.parse(file).iter()  # noqa: S314 - our own file
        if each.tag in shapes
    ]
