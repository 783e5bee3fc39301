"""The packages as others get them: built from their sources and installed into an empty environment."""

import subprocess
import tarfile
import zipfile
from gettext import GNUTranslations
from pathlib import Path

import pytest

pytestmark = [pytest.mark.build, pytest.mark.slow, pytest.mark.timeout(600)]

PACKAGES = ("inventory_core", "inventory_replication", "inventory_web")
BROWSER_FILES = {"htmx.min.js", "tabler.min.css", "icons.svg", "zxing.min.js"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_holds_the_package_its_licence_and_the_mark_of_types(distributions: Path, package: str) -> None:
    names = wheel_names(distributions, package)

    assert f"{package}/__init__.py" in names
    assert f"{package}/py.typed" in names
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_the_wheel_of_the_web_holds_the_browser_files_and_their_licences(distributions: Path) -> None:
    names = wheel_names(distributions, "inventory_web")

    assert {f"inventory_web_assets/static/{name}" for name in BROWSER_FILES} <= names
    licences = {name.rpartition("/")[2] for name in names if name.startswith("inventory_web_assets/static/licences/")}
    assert licences == {
        f"{name}.txt" for name in ("bootstrap-icons", "htmx.org", "tabler-core", "ts-custom-error", "zxing-library")
    }


def test_the_wheel_of_the_web_holds_the_english_catalogue_compiled(distributions: Path) -> None:
    folder = "inventory_web/translations/en/LC_MESSAGES"
    (wheel,) = distributions.glob("inventory_web-*.whl")
    with zipfile.ZipFile(wheel) as archive, archive.open(f"{folder}/messages.mo") as file:
        texts = GNUTranslations(file)

    assert texts.gettext("Buscar") == "Search"
    assert f"{folder}/messages.po" not in wheel_names(distributions, "inventory_web")


def test_the_sources_of_the_web_build_without_npm_because_they_hold_the_browser_files(distributions: Path) -> None:
    (archive,) = distributions.glob("inventory_web-*.tar.gz")
    with tarfile.open(archive) as sources:
        names = sources.getnames()

    assert {name.rpartition("/")[2] for name in names if "/.assets/" in name} >= BROWSER_FILES
    assert len({name.split("/")[2] for name in names if "/.assets/" in name}) == 1


def test_the_command_starts_in_an_environment_of_its_own(environment: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [environment / "inventory", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "demo" in answer.stdout


def wheel_names(folder: Path, package: str) -> set[str]:
    """What the wheel of a package holds."""
    (wheel,) = folder.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())
