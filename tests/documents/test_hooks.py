"""docs/hooks.md lists every hook with its signature and a working example."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pluggy import PluginManager

from inventory_core.plugins import CoreHooks
from inventory_web.hookspecs import WebHooks

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "hooks.md").read_text("utf-8")
HOOKS = {
    name: (family, hook)
    for family in (CoreHooks, WebHooks)
    for name, hook in vars(family).items()
    if inspect.isfunction(hook)
}


def test_hooks_are_all_documented() -> None:
    assert re.findall(r"^### `(\w+)`$", TEXT, flags=re.MULTILINE) == list(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_hook_signature_matches_the_code(name: str) -> None:
    signature, *_ = blocks(name)

    assert signature.strip() == written(HOOKS[name][1])


@pytest.mark.parametrize("name", HOOKS)
def test_hook_example_is_a_valid_plugin(name: str) -> None:
    family, _ = HOOKS[name]
    _, example = blocks(name)
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, f"docs/hooks.md, {name}", "exec"), namespace)  # noqa: S102
    plugins = [value for value in namespace.values() if inspect.isclass(value) and value.__module__ == "example"]
    manager = PluginManager("inventory_core" if family is CoreHooks else "inventory_web")
    manager.add_hookspecs(family)
    manager.register(plugins[0]())
    manager.check_pending()

    assert len(plugins) == 1
    assert len(getattr(manager.hook, name).get_hookimpls()) == 1


@pytest.mark.parametrize("name", HOOKS)
def test_hook_documents_when_it_is_called(name: str) -> None:
    assert "- **When.** " in section(name)
    assert HOOKS[name][1].__doc__


@pytest.mark.parametrize("name", vars(CoreHooks).keys() & HOOKS.keys())
def test_hook_has_a_documented_user(name: str) -> None:
    (path,) = re.findall(r"\*\*Used by\*\*.*?\]\(\.\./([^)]+)\)", section(name), flags=re.DOTALL)

    assert f"def {name}(" in (ROOT / path).read_text("utf-8")


def section(name: str) -> str:
    return re.split(r"^##", TEXT.partition(f"### `{name}`\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(name: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", section(name), flags=re.DOTALL | re.MULTILINE)


def written(hook: Callable[..., object]) -> str:
    """Return the signature in the source, without the quotes of a forward reference."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(hook))).body
    assert isinstance(function, ast.FunctionDef)
    assert function.returns is not None
    returns = ast.unparse(function.returns).strip("'")
    return f"def {function.name}({ast.unparse(function.args)}) -> {returns}"
