"""SVG pictures of the documents are accessible and the same in both languages."""

import re
from pathlib import Path
from xml.etree import ElementTree

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(DOCS.glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def test_svg_pictures_have_a_title_and_load_nothing() -> None:
    for file in PICTURES:
        picture = ElementTree.parse(file).getroot()  # noqa: S314 - our own file

        assert picture.get("role") == "img"
        assert len(picture.findtext(f"{SVG}title", "")) > 10
        assert len(picture.findtext(f"{SVG}desc", "")) > 100
        assert not re.search(r"<(script|image|foreignObject)|href=|url\((?!#)", file.read_text("utf-8"))
    assert len(PICTURES) >= 2


def test_svg_pictures_have_the_same_shapes_in_both_languages() -> None:
    for file in PICTURES:
        if not file.stem.endswith(".es"):
            other = file.with_name(f"{file.stem}.es.svg")

            assert drawn(file) == drawn(other)


def test_svg_pictures_are_used_by_a_document_in_their_language() -> None:
    for file in PICTURES:
        suffix = ".es" if file.stem.endswith(".es") else ""
        shown = [page for page in DOCS.glob(f"*{suffix}.md") if f"]({file.name})" in page.read_text("utf-8")]

        assert shown


def drawn(file: Path) -> list[tuple[str, str]]:
    """Return the shapes and their positions."""
    shapes = (f"{SVG}rect", f"{SVG}path")
    return [
        (each.tag, f"{each.get('d')} {each.get('x')} {each.get('y')} {each.get('width')}")
        for each in ElementTree.parse(file).iter()  # noqa: S314 - our own file
        if each.tag in shapes
    ]
