"""The packages as others get them: built from their sources, installed into an empty environment, and started."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.build, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PACKAGES = ("inventory_core", "inventory_replication", "inventory_web")
BROWSER_FILES = {"htmx.min.js", "hx-csp.min.js", "tabler.min.css", "icons.svg"}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source distribution of each package, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("distributions")
    for package in PACKAGES:
        run(sys.executable, "-m", "build", "--installer=uv", "--outdir", folder, ROOT / "packages" / package)
    return folder


@pytest.fixture(scope="module")
def environment(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the three wheels and what they ask for, nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    uv = (sys.executable, "-m", "uv")
    run(*uv, "venv", "--python", sys.executable, folder)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    wheels = sorted(distributions.glob("*.whl"))
    run(*uv, "pip", "install", "--python", programs / "python", "-c", ROOT / "constraints.txt", *wheels)
    return programs


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_holds_the_package_its_licence_and_the_mark_of_types(distributions: Path, package: str) -> None:
    names = wheel_names(distributions, package)

    assert f"{package}/__init__.py" in names
    assert f"{package}/py.typed" in names
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_the_wheel_of_the_web_holds_the_browser_files_and_their_licences(distributions: Path) -> None:
    names = wheel_names(distributions, "inventory_web")

    assert {f"inventory_web_assets/static/{name}" for name in BROWSER_FILES} <= names
    assert len([name for name in names if name.startswith("inventory_web_assets/static/licences/")]) == 3


def test_the_sources_of_the_web_build_without_npm_because_they_hold_the_browser_files(distributions: Path) -> None:
    (archive,) = distributions.glob("inventory_web-*.tar.gz")
    with tarfile.open(archive) as sources:
        names = sources.getnames()

    assert {name.rpartition("/")[2] for name in names if "/.assets/" in name} >= BROWSER_FILES
    assert len({name.split("/")[2] for name in names if "/.assets/" in name}) == 1


def test_the_command_starts_in_an_environment_of_its_own(environment: Path, tmp_path: Path) -> None:
    answer = run(environment / "inventory", "--help", folder=tmp_path)

    assert "demo" in answer


def test_the_migrations_and_templates_came_along(environment: Path, tmp_path: Path) -> None:
    listing = "print(*(path.name for name in ('core', 'web') for path in files(f'inventory_{name}').rglob('*')))"
    script = f"from importlib.resources import files; {listing}"
    names = run(environment / "python", "-c", script, folder=tmp_path).split()

    assert "script.py.mako" in names
    assert [name for name in names if name.endswith(".html")]


def wheel_names(folder: Path, package: str) -> set[str]:
    """What the wheel of a package holds."""
    (wheel,) = folder.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a program to its end and give what it wrote; where it fails, the test shows both of its outputs."""
    outcome = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)

    assert outcome.returncode == 0, f"{command}\n{outcome.stdout}\n{outcome.stderr}"
    return outcome.stdout
