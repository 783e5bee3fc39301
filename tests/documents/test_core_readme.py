"""The examples in the README of inventory_core run."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

TEXT = (Path(__file__).parents[2] / "packages" / "inventory_core" / "README.md").read_text("utf-8")


def test_core_readme_quick_start_prints_its_output(tmp_path: Path) -> None:
    program, _ = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    (said,) = re.findall(r"^```text\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    command = [sys.executable, "-W", "error", "-X", "utf8", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)

    assert (done.stderr, done.stdout) == ("", said)
    assert len([line for line in program.splitlines() if line]) <= 16


def test_core_readme_example_test_passes(tmp_path: Path) -> None:
    _, example = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    namespace: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), namespace)  # noqa: S102

    namespace["test_stock_comes_in"](tmp_path)
