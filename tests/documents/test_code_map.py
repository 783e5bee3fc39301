"""docs/code-map.md names existing modules."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "code-map.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!---|I want)(.+?) \| (.+) \|$", TEXT, flags=re.MULTILINE)
LINKS = sorted(set(re.findall(r"\[`([^`]+)`\]\(([^)]+)\)", TEXT)))
PACKAGE = re.compile(r"\.\./packages/inventory_(\w+)/src/inventory_\1/")
LAYERS = re.findall(r"^### (inventory_\w+)\n.*?^```text\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_code_map_lists_each_change_once() -> None:
    assert len(ROWS) >= 60
    assert len({change for change, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("change", "modules"), ROWS, ids=[change for change, _ in ROWS])
def test_code_map_links_each_change_to_a_module(change: str, modules: str) -> None:
    assert re.findall(r"\]\(([^)]+)\)", modules), change


@pytest.mark.parametrize(("label", "target"), LINKS, ids=[label for label, _ in LINKS])
def test_code_map_module_exists_under_its_label(label: str, target: str) -> None:
    assert (DOCS / target).exists()
    if label.startswith(("core/", "web/", "replication/")):
        assert PACKAGE.sub(r"\1/", target) == label.rstrip("/")


@pytest.mark.parametrize(("package", "diagram"), LAYERS, ids=[package for package, _ in LAYERS])
def test_code_map_layers_exist(package: str, diagram: str) -> None:
    folder = DOCS.parent / "packages" / package / "src" / package
    names = [name.strip() for line in diagram.splitlines() for name in re.split(r" {2,}", line)[0].split("|")]

    assert [name for name in names if not (folder / name).is_dir() and not (folder / f"{name}.py").is_file()] == []
    assert len(names) >= 10
