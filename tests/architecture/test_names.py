"""No test hides behind a name that pytest does not collect, and tests use public names."""

import ast
from functools import cache
from pathlib import Path

from tests.architecture.repository import files, nodes, tree

TEST_FILES = tuple(path for path in files(".py") if path.parts[0] == "tests" and path.name.startswith("test_"))


def test_every_file_with_tests_is_collected() -> None:
    others = [path for path in files(".py") if path.parts[0] == "tests" and path not in TEST_FILES]
    tests = [f"{path}:{node.lineno} {node.name}" for path in others for node in _definitions(path) if _is_test(node)]

    assert tests == []


def test_no_folder_of_tests_has_a_name_that_pytest_passes_over() -> None:
    passed_over = {"build", "dist", "venv", "node_modules", "CVS", "_darcs"}
    folders = {part for path in TEST_FILES for part in path.parts[:-1]}

    assert folders & passed_over == set()


def test_every_public_function_of_a_test_file_is_a_test_or_is_used() -> None:
    unused = [
        f"{path}:{node.lineno} {node.name}"
        for path in TEST_FILES
        for node in _definitions(path)
        if not _is_test(node) and not node.name.startswith("_") and not _is_fixture(node)
        if node.name not in _names_used(path)
    ]

    assert unused == [], "without the prefix test_ these are never run"


def test_tests_are_plain_functions() -> None:
    methods = [
        f"{path}:{method.lineno} {outer.name}.{method.name}"
        for path in TEST_FILES
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
        for node in nodes(path)
        for module in _modules_imported(node)
        if any(part.startswith("_") and part != "__future__" for part in module.split("."))
    ]

    assert private == []


def _definitions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    return [node for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)


@cache
def _names_used(path: Path) -> frozenset[str]:
    used = (getattr(node, "id", None) or getattr(node, "attr", None) for node in nodes(path))
    return frozenset(name for name in used if name)


def _modules_imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
