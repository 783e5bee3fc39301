"""Names lead to what they name, and no test hides behind a name that pytest does not collect."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.repository import files, text, tree

NAMES_FOR_NOTHING = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "base",
    "misc",
    "manager",
    "managers",
    "stuff",
    "tools",
}
TEST_FILES = tuple(path for path in files(".py") if path.parts[0] == "tests" and path.name.startswith("test_"))


def test_no_module_is_named_after_nothing() -> None:
    named = {part for path in files(".py") for part in (*path.parts[:-1], path.stem)}

    assert named & NAMES_FOR_NOTHING == set()


def test_every_file_with_tests_is_collected() -> None:
    others = [path for path in files(".py") if path.parts[0] == "tests" and path not in TEST_FILES]
    tests = [f"{path}:{node.lineno} {node.name}" for path in others for node in _definitions(path) if _is_test(node)]

    assert tests == []


def test_no_folder_of_tests_has_a_name_that_pytest_passes_over() -> None:
    passed_over = {"build", "dist", "venv", "node_modules", "CVS", "_darcs"}
    folders = {part for path in TEST_FILES for part in path.parts[:-1]}

    assert folders & passed_over == set()


@pytest.mark.parametrize("path", TEST_FILES, ids=str)
def test_every_public_function_of_a_test_file_is_a_test_or_is_used(path: Path) -> None:
    used = _names_used(path)
    unused = [
        f"{path}:{node.lineno} {node.name}"
        for node in _definitions(path)
        if not _is_test(node) and not node.name.startswith("_") and not _is_fixture(node) and node.name not in used
    ]

    assert unused == [], "without the prefix test_ these are never run"


@pytest.mark.parametrize("path", TEST_FILES, ids=str)
def test_tests_are_plain_functions(path: Path) -> None:
    methods = [
        f"{path}:{method.lineno} {outer.name}.{method.name}"
        for outer in _definitions(path)
        if isinstance(outer, ast.ClassDef)
        for method in outer.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name.startswith("test_")
    ]

    assert methods == []


def test_tests_use_public_names_only() -> None:
    private = [
        f"{path} imports {module}"
        for path in files(".py")
        if path.parts[0] == "tests"
        for node in ast.walk(tree(path))
        for module in _modules_imported(node)
        if any(part.startswith("_") and part != "__future__" for part in module.split("."))
    ]

    assert private == []


def test_the_words_of_replication_are_source_and_replica() -> None:
    older = re.compile("mas" + "ter|" + "sla" + "ve", re.IGNORECASE)
    # MySQL's privilege has no newer name.
    privilege = "REPLICATION " + "SLA" + "VE"
    places = [
        f"{path}:{number}"
        for path in files(".py", ".html", ".yml", ".cnf", ".toml", ".sql")
        for number, line in enumerate(text(path).splitlines(), start=1)
        if older.search(line.replace(privilege, ""))
    ]

    assert places == []


def _definitions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    return [node for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)


def _names_used(path: Path) -> set[str]:
    return {
        name
        for node in ast.walk(tree(path))
        for name in (getattr(node, "id", None), getattr(node, "attr", None))
        if name
    }


def _modules_imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
