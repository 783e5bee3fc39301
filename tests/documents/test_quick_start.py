"""The quick start of the README and the command of the CI."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/inventory demo"
CHECK = "python3 -m venv .venv && .venv/bin/pip install nox uv && .venv/bin/nox"


def test_quick_start_has_one_command_to_run_and_one_to_check() -> None:
    _, _, after = (ROOT / "README.md").read_text("utf-8").partition("## Quick start\n")
    section, _, _ = after.partition("\n## ")
    blocks = re.findall(r"^```sh\n(.*?)\n```$", section, flags=re.DOTALL | re.MULTILINE)

    assert blocks[:2] == [RUN, CHECK]


def test_ci_script_reads_its_command_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")

    assert "README.md" in script
    assert "-m venv" not in script
