"""The distributions are built and installed once for all tests that look at them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("inventory_core", "inventory_replication", "inventory_web")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source distribution of each package, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("distributions")
    for package in PACKAGES:
        _run("build", "--installer=uv", "--outdir", folder, ROOT / "packages" / package)
    return folder


@pytest.fixture(scope="session")
def environment(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the three wheels and what they ask for, nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    _run("uv", "venv", "--python", sys.executable, folder)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    wheels = sorted(distributions.glob("*.whl"))
    _run("uv", "pip", "install", "--python", programs / "python", "-c", ROOT / "constraints.txt", *wheels)
    return programs


def _run(module: str, *arguments: str | Path) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if outcome.returncode:
        pytest.fail(f"{command}\n{outcome.stdout}\n{outcome.stderr}", pytrace=False)
