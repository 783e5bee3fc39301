"""The list of rooms sends nobody to a wall."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ROWS = re.findall(r"^\| (?!---|I want)(.+?) \| (.+) \|$", (DOCS / "rooms.md").read_text("utf-8"), flags=re.MULTILINE)
PACKAGES = re.compile(r"\.\./packages/inventory_(\w+)/src/inventory_\1/")


def test_there_is_a_room_for_every_usual_wish() -> None:
    assert len(ROWS) >= 25
    assert len({wish for wish, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("wish", "rooms"), ROWS, ids=[wish for wish, _ in ROWS])
def test_each_wish_leads_to_a_path_that_exists(wish: str, rooms: str) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", rooms)

    assert targets, wish
    assert [target for target in targets if not (DOCS / target).exists()] == []


@pytest.mark.parametrize(("label", "target"), re.findall(r"\[`([^`]+)`\]\(([^)]+)\)", "\n".join(dict(ROWS).values())))
def test_a_room_is_called_as_it_is_found(label: str, target: str) -> None:
    assert PACKAGES.sub(r"\1/", target).removeprefix("../").rstrip("/") == label.rstrip("/")
