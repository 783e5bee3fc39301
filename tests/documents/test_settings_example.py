"""The example of docs/settings.md for programs works and prints nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parents[2] / "docs" / "settings.md"
FURTHER = """
from inventory_web.roles import public

@public
def fail():
    password = "a secret in a local variable"
    raise RuntimeError("the page failed" if password else "")

app.add_url_rule("/fail", view_func=fail)
client = app.test_client()
assert client.get("/login").status_code == 200
assert client.get("/inventory").status_code == 302
assert client.get("/health/ready").status_code == 200
assert client.get("/fail").status_code == 500
"""


@pytest.mark.slow
def test_settings_example_serves_pages_and_prints_nothing(tmp_path: Path) -> None:
    section = SETTINGS.read_text("utf-8").partition("## From a program")[2]
    (example,) = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    program = [sys.executable, "-c", example + FURTHER]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "the page failed" in done.stderr
    assert "a secret in a local variable" not in done.stderr.replace('password = "a secret in a local variable"', "")
    assert (tmp_path / "stock.db").is_file()
