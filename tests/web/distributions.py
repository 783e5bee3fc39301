"""Small packages with entry points, installed into a folder that Python looks into."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, package: str, source: str, **groups: str
) -> Iterator[None]:
    """Install a package of one module; `groups` holds the lines of each entry point group."""
    (folder / f"{package}.py").write_text(source, "utf-8")
    information = folder / f"{package}-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n", "utf-8")
    lines = "".join(f"[{group}]\n{entries}\n" for group, entries in groups.items())
    (information / "entry_points.txt").write_text(lines, "utf-8")
    monkeypatch.syspath_prepend(folder)
    yield
    sys.modules.pop(package, None)
