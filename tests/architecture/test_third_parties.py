"""Nothing of others is committed, every version is pinned, and no file says where packages come from."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.repository import PACKAGES, ROOT, files, text

WEB = ROOT / "packages" / "inventory_web"
# Written in halves, so that this file does not hold what it looks for.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "npmjs" + ".com", "debian" + ".org")
LONGEST_LINE_OF_A_PERSON = 1000


def test_no_file_holds_the_address_of_a_package_registry() -> None:
    found = [f"{path}: {address}" for path in files() for address in REGISTRIES if address in text(path)]

    assert found == []


def test_the_lock_of_uv_stays_with_the_person_who_made_it() -> None:
    assert [path for path in files() if path.name == "uv.lock"] == []


def test_the_npm_lock_holds_checksums_and_no_address() -> None:
    packages = json.loads((WEB / "package-lock.json").read_text("utf-8"))["packages"]
    fetched = {name: package for name, package in packages.items() if name}

    assert fetched
    assert [name for name, package in fetched.items() if not package["integrity"].startswith("sha512-")] == []
    assert "://" not in (WEB / "package-lock.json").read_text("utf-8")


def test_browser_packages_are_named_at_one_exact_version() -> None:
    wanted: dict[str, str] = json.loads((WEB / "package.json").read_text("utf-8"))["dependencies"]

    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_scripts_and_styles_in_the_repository_are_our_own() -> None:
    suspicious = [
        str(path)
        for path in files(".js", ".mjs", ".css", ".map", ".woff", ".woff2", ".ttf")
        if ".min." in path.name
        or path.suffix not in {".js", ".css"}
        or "/*!" in text(path)
        or max(map(len, text(path).splitlines()), default=0) > LONGEST_LINE_OF_A_PERSON
    ]

    assert suspicious == []


def test_no_page_sends_a_request_to_another_host() -> None:
    asking = re.compile(r"""(?:src|href|action|url)\s*[=(]\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)
    sources = [path for path in files(".html", ".css", ".js", ".jinja") if path.is_relative_to("packages")]

    assert [str(path) for path in sources if asking.search(text(path))] == []


def test_no_page_needs_a_weaker_policy_than_our_own_scripts_and_styles() -> None:
    inline = re.compile(
        r"""<style|\bstyle\s*=|\bon[a-z]+\s*=\s*["']|\bhx-on\b|javascript:|<script(?![^>]*\bsrc=)""", re.IGNORECASE
    )
    pages = [path for path in files(".html", ".jinja", ".svg") if path.parts[0] != "docs"]

    assert pages
    assert [str(path) for path in pages if inline.search(text(path))] == []


def test_every_version_is_pinned_without_an_address() -> None:
    lines = [line for line in text(Path("constraints.txt")).splitlines() if line and not line.startswith("#")]

    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line)] == []


def test_everything_that_is_requested_is_pinned() -> None:
    pins = {canonicalize_name(line.partition("==")[0]) for line in text(Path("constraints.txt")).splitlines()}
    requested = {canonicalize_name(Requirement(requirement).name) for requirement in _requirements()}

    assert requested - pins == {"inventory-core", "inventory-replication"}


def test_the_packages_have_one_version_and_name_it_to_each_other() -> None:
    projects = {package: _pyproject(package)["project"] for package in PACKAGES}
    versions = {project["version"] for project in projects.values()}
    siblings = [
        Requirement(line) for line in projects["inventory_web"]["dependencies"] if line.startswith("inventory-")
    ]

    assert len(versions) == 1
    assert {str(sibling.specifier) for sibling in siblings} == {f"=={versions.pop()}"}


def _requirements() -> Iterator[str]:
    for package in PACKAGES:
        project = _pyproject(package)["project"]
        yield from project["dependencies"]
        for extra in project.get("optional-dependencies", {}).values():
            yield from extra
    for group in tomllib.loads(text(Path("pyproject.toml")))["dependency-groups"].values():
        yield from (requirement for requirement in group if isinstance(requirement, str))


def _pyproject(package: str) -> dict[str, Any]:
    return tomllib.loads(text(Path("packages", package, "pyproject.toml")))
