"""The build hook of the web package brings what it should, and stops where it cannot be sure."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.build, pytest.mark.slow, pytest.mark.timeout(600)]

WEB = Path(__file__).parents[2] / "packages" / "inventory_web"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the sources of the web package, without what earlier builds left in it."""
    return shutil.copytree(WEB, tmp_path / "sources", ignore=shutil.ignore_patterns(".assets", "__pycache__"))


def test_a_file_that_differs_from_the_lock_stops_the_build_and_leaves_nothing_that_looks_ready(sources: Path) -> None:
    lock = sources / "package-lock.json"
    locked = json.loads(lock.read_text("utf-8"))
    locked["packages"]["node_modules/htmx.org"]["integrity"] = "sha512-" + "A" * 86 + "=="
    lock.write_text(json.dumps(locked), "utf-8")

    outcome = build_wheel(sources)

    assert outcome.returncode != 0
    assert "EINTEGRITY" in outcome.stdout + outcome.stderr
    assert list(sources.glob(".assets/*")) == []


def test_a_stale_set_of_browser_files_is_replaced(sources: Path) -> None:
    stale = sources / ".assets" / "0123456789abcdef"
    stale.mkdir(parents=True)

    outcome = build_wheel(sources)

    assert outcome.returncode == 0, outcome.stderr
    assert not stale.exists()
    assert len(list(sources.glob(".assets/*/static/htmx.min.js"))) == 1


def build_wheel(sources: Path) -> subprocess.CompletedProcess[str]:
    """Build a wheel of the sources, in an environment of its own as an installer does."""
    command = [sys.executable, "-m", "build", "--wheel", "--installer=uv", str(sources)]
    return subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
