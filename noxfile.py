"""Every check of this repository, one session each; `nox` alone skips the long ones, and reports what it could not run."""

import atexit
import json
import os
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
THOROUGH = "--hypothesis-profile=thorough"
WITHOUT_SERVICE = "not mysql and not stack and not browser and not build"
CODE = ("packages", "tests", "benchmarks", "docs", "typings", "noxfile.py")

os.environ["UV_PYTHON_DOWNLOADS"] = "never"
nox.needs_version = ">=2025.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests", "lowest", "slow", "mysql", "stack", "browser", "docs", "build"]

_capabilities = runpy.run_path(str(ROOT / "tests" / "capabilities.py"))
missing: Callable[[str], str | None] = _capabilities["missing"]
required: Callable[[], frozenset[str]] = _capabilities["required"]

_started: set[str] = set()
_left_out: dict[str, str] = {}


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, directions of import, templates, and that each package declares what it imports."""
    install(session, "lint")
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)
    session.run("lint-imports", "--no-logo")
    session.run("djlint", "--lint", "--quiet", "--configuration=pyproject.toml", "packages/inventory_web/src")
    for package in sorted(ROOT.glob("packages/*")):
        session.run("deptry", "--config", str(package / "pyproject.toml"), str(package / "src"))


@nox.session
def types(session: nox.Session) -> None:
    """Mypy in strict mode over the packages, the tests and this file."""
    install(session, "types")
    session.run("mypy", *CODE)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """What needs no service and no more than seconds, on SQLite, with few generated examples."""
    install(session, "test")
    run_tests(session, "-m", f"not slow and {WITHOUT_SERVICE}", "--ignore=tests/documents")
    session.log("The tests marked slow, and more generated examples, are those of: nox -s slow")


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The fast tests with the oldest Python and the lowest versions of the dependencies that the packages allow."""
    _started.add(session.name)
    if session.venv_backend != "uv":
        leave_out(session, "needs uv, which finds the lowest versions")
    packages = [argument for folder in sorted(ROOT.glob("packages/*")) for argument in ("-e", str(folder))]
    session.install("--resolution=lowest-direct", *packages)
    session.install("-c", "constraints.txt", *nox.project.dependency_groups(PROJECT, "test"))
    run_tests(session, "-m", f"not slow and {WITHOUT_SERVICE}", "--ignore=tests/documents")


@nox.session
def slow(session: nox.Session) -> None:
    """What needs no service but its time: processes that are started and ended, and many generated examples."""
    install(session, "test")
    run_tests(session, "-m", f"(slow or hypothesis) and {WITHOUT_SERVICE}", "--ignore=tests/documents", THOROUGH)


@nox.session
def mysql(session: nox.Session) -> None:
    """The tests on real MySQL servers, which pytest-docker starts."""
    if marked_tests(session, "mysql") and has(session, "docker"):
        install(session, "test")
        run_tests(session, "-m", "mysql", THOROUGH, parallel=False)


@nox.session(name="replication-long")
def replication_long(session: nox.Session) -> None:
    """Everyone sees what they wrote, over 100,000 pairs of a write and a read; the session mysql makes fewer."""
    if has(session, "docker"):
        install(session, "test")
        session.env.setdefault("INVENTORY_TEST_PAIRS", "100000")
        run_tests(session, "-m", "mysql", "--timeout=7200", "tests/replication/faults/test_lag.py", parallel=False)


@nox.session
def stack(session: nox.Session) -> None:
    """The tests of the shipped docker-compose.yml, which pytest-docker starts."""
    if marked_tests(session, "stack") and has(session, "docker"):
        install(session, "test")
        run_tests(session, "-m", "stack", parallel=False)


@nox.session
def browser(session: nox.Session) -> None:
    """The pages in a real Chromium."""
    if marked_tests(session, "browser") and has(session, "browser"):
        install(session, "browser")
        run_tests(session, "-m", "browser")


@nox.session
def docs(session: nox.Session) -> None:
    """What the documents promise."""
    install(session, "test")
    run_tests(session, "tests/documents")


@nox.session
def build(session: nox.Session) -> None:
    """Sources and wheels of the packages, and that they install and start in an empty environment."""
    install(session, "test", "build")
    run_tests(session, "-m", "build", parallel=False)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed and memory at 100,000 products, and what replication costs, written to docs/benchmarks.md."""
    install(session, "test", "browser")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def pictures(session: nox.Session) -> None:
    """Make the pictures of the tour anew from the running program; look at each before you keep it."""
    if has(session, "browser"):
        install(session, "browser")
        session.run("python", "docs/make_pictures.py", *session.posargs)


@nox.session
def texts(session: nox.Session) -> None:
    """Bring the English catalogue to the texts of the sources; what is new in it waits for its translation."""
    install(session)
    template = str(Path(session.create_tmp(), "messages.pot"))
    keywords = ("--keyword=lazy_gettext", "--keyword=N_")
    with session.chdir("packages/inventory_web"):
        extract = ("pybabel", "--quiet", "extract", "--mapping=babel.cfg", "--no-location", "--sort-output", *keywords)
        session.run(*extract, f"--output={template}", "src/inventory_web")
        update = ("pybabel", "--quiet", "update", "--no-fuzzy-matching", "--ignore-obsolete", "--omit-header")
        session.run(*update, "--width=120", f"--input-file={template}", "--output-dir=src/inventory_web/translations")


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Move constraints.txt to the newest versions that the packages allow, and package-lock.json to package.json."""
    uv = (sys.executable, "-m", "uv")
    everything = ("--no-emit-workspace", "--all-packages", "--all-groups", "--all-extras")
    plain = ("--format=requirements-txt", "--no-hashes", "--no-annotate", "--no-header")
    session.run(*uv, "lock", "--upgrade", external=True)
    pins = session.run(*uv, "export", "--quiet", *everything, *plain, external=True, silent=True)
    header = "# Exact versions of everything that runs here or checks it. Made by: nox -s lock\n"
    (ROOT / "constraints.txt").write_text(header + str(pins), "utf-8", newline="\n")
    with session.chdir("packages/inventory_web"):
        session.run("npm", "install", "--package-lock-only", external=True)
        file = Path("package-lock.json")
        locked = json.loads(file.read_text("utf-8"))
        for package in locked["packages"].values():
            package.pop("funding", None)
        file.write_text(json.dumps(locked, indent=2, ensure_ascii=False) + "\n", "utf-8", newline="\n")


def install(session: nox.Session, *groups: str) -> None:
    """The three packages, editable, and the tools of the dependency groups, all at the versions of constraints.txt."""
    _started.add(session.name)
    session.install("-r", "requirements.txt", *nox.project.dependency_groups(PROJECT, *groups))


def run_tests(session: nox.Session, *arguments: str, parallel: bool = True) -> None:
    """Run pytest; arguments after `--` on nox's command line come last and take precedence."""
    workers = ("-n", "auto", "--maxprocesses=8", "--dist=worksteal") if parallel else ("-n", "0")
    # Each worker and each command that a test starts would compile all modules anew.
    keep_bytecode = {"PYTHONDONTWRITEBYTECODE": None}
    session.run("pytest", *workers, *arguments, *session.posargs, env=keep_bytecode)


def marked_tests(session: nox.Session, marker: str) -> bool:
    """Whether the repository has tests of this kind yet; where not, the last lines of nox say so."""
    if any(f"mark.{marker}" in file.read_text("utf-8") for file in ROOT.glob("tests/**/*.py")):
        return True
    leave_out(session, "not shipped yet: this repository has no such check")
    return False


def has(session: nox.Session, capability: str) -> bool:
    """Whether the machine has what the session needs; where not, the session is left out, or fails if that was required."""
    lack = missing(capability)
    if lack and capability in required():
        _left_out[session.name] = f"required, but this machine lacks {lack}"
        session.error(f"needs {lack}")
    if lack:
        leave_out(session, f"needs {lack}")
    return not lack


def leave_out(session: nox.Session, reason: str) -> None:
    """End the session as skipped and remember why."""
    _started.add(session.name)
    _left_out[session.name] = reason
    session.skip(reason)


def add_pyenv_to_path() -> None:
    """Let nox find the Pythons that pyenv has installed but not selected."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [str(folder / "bin") for version in PYTHONS for folder in sorted(versions.glob(f"{version}.*"))]
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *found])


def report() -> None:
    """The last lines of nox: what was not checked here, and what it needs."""
    if not _started:
        return
    if any(name.startswith("tests") for name in _started):
        absent = [
            version
            for version in PYTHONS
            if f"tests-{version}" not in _started and not shutil.which(f"python{version}")
        ]
        _left_out.update({f"tests-{version}": f"needs Python {version} on the path" for version in absent})
    sys.stderr.flush()
    if _left_out:
        print("\nNot checked here:")
        for name, reason in _left_out.items():
            print(f"  {name}: {reason}")
    else:
        print("\nNothing was left out for want of something on this machine.")
    sys.stdout.flush()


add_pyenv_to_path()
atexit.register(report)
