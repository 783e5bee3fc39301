"""The files of this repository, as the tests of its architecture read them."""

import ast
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("inventory_core", "inventory_replication", "inventory_web")


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every file that is tracked or could be (relative to the root), of these suffixes if any are given."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        found = {Path(name) for name in names if name and (ROOT / name).is_file()}
    else:
        found = set(_walk())
    return tuple(sorted(path for path in found if not suffixes or path.suffix in suffixes))


def sources(package: str) -> tuple[Path, ...]:
    """The modules of one import package."""
    folder = Path("packages", package, "src")
    return tuple(path for path in files(".py") if path.is_relative_to(folder))


@cache
def text(path: Path) -> str:
    """The content of a text file; bytes that are no UTF-8 are replaced."""
    return (ROOT / path).read_text("utf-8", errors="replace")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(text(path), filename=str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a module, at any depth."""
    return tuple(ast.walk(tree(path)))


def _walk() -> Iterator[Path]:
    generated = {"__pycache__", "node_modules", "build", "dist", "htmlcov"}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in generated and (name == ".ci" or not name.startswith("."))]
        yield from (Path(folder, name).relative_to(ROOT) for name in names if not name.endswith((".db", ".mo")))
