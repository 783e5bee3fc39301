"""Files and functions stay small enough to be read at once."""

import ast

from tests.architecture.repository import files, functions, text, tree

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def test_no_source_file_is_longer_than_the_limit() -> None:
    sizes = {str(path): len(text(path).splitlines()) for path in files(".py", ".html", ".css", ".js", ".sh")}

    assert sizes
    assert {path: size for path, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    # What a migration did stays as it was written; it is a list of tables, not something to follow.
    sizes = {
        f"{path}:{function.lineno} {function.name}": length(function)
        for path in files(".py")
        if not path.match("migrations/versions/*.py")
        for function in functions(tree(path))
    }

    assert sizes
    assert {where: size for where, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end of the body."""
    return (function.end_lineno or function.lineno) - function.lineno + 1
