"""Links in documents are valid."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_point_to_existing_files_and_headings(document: Path) -> None:
    broken = [target for target in _targets(document.read_text("utf-8")) if not _exists(document, target)]

    assert broken == []


def _targets(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:", target)]


def _exists(document: Path, target: str) -> bool:
    name, _, heading = target.partition("#")
    path = document.parent / name if name else document
    return path.exists() and (not heading or heading in _headings(path.read_text("utf-8")))


def _headings(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
