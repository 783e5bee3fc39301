"""The command line as processes: serving, signals, terminals, and a disk that is full."""

import os
import re
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from inventory_core import Inventory, ProductFilter, SingleDatabase, count_products
from inventory_core.verification import verify
from tests.web.cli.conftest import Ended
from tests.web.noting_plugin import install_noting_plugin

pytestmark = pytest.mark.slow

Start = Callable[..., "subprocess.Popen[str]"]
Run = Callable[..., Ended]
PATIENCE = 120
LONG, SHORT = 60_000, 6_000


def address_of(process: "subprocess.Popen[str]") -> str:
    """Where the server says that it listens; every line before is kept out of the way."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    _, said = process.communicate()
    raise AssertionError(said)


def requested(address: str, path: str) -> str:
    connection = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def products(file: Path, rows: int) -> Path:
    lines = (f"C-{number:06},Producto número {number},{number % 50}\n" for number in range(rows))
    file.write_text("code,name,quantity\n" + "".join(lines), "utf-8")
    return file


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: what is read from the first was written to the second."""
    reading, writing = os.openpty()
    yield reading, writing
    os.close(reading)


def seen_on(terminal: int, words: str, process: "subprocess.Popen[str]") -> str:
    """Read until the words appear on the terminal."""
    seen, end = "", time.monotonic() + PATIENCE
    while words not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                # Linux says so once the other end is closed.
                break
        elif process.poll() is not None:
            break
    assert words in seen, seen
    return seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_serve_says_where_answers_and_ends_cleanly(start: Start, here: Path, number: signal.Signals) -> None:
    process = start("serve", "--port", "0")
    address = address_of(process)
    page = requested(address, "/login")
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)

    assert here.exists()
    assert address.startswith("http://127.0.0.1:")
    assert "Entrar" in page
    assert process.returncode == 0
    assert "Traceback" not in said
    assert not [line for line in said.splitlines() if not line.startswith("{")]


def test_demo_sets_everything_up_twice_the_same(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    numbers = []
    for _ in range(2):
        process = start("demo", "--port", "0")
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "http://" in line:
                break
        assert "Usuario: admin   Contraseña: admin123\n" in lines
        address = re.findall(r"http://\S+", lines[-1])[0]
        assert requested(address, "/health/ready") == "ready\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        sessions = SingleDatabase.from_file(tmp_path / "inventory" / "inventory.db")
        numbers.append(count_products(Inventory(sessions), ProductFilter()).number)
        assert verify(Inventory(sessions)).faults == ()
        sessions.close()

    assert numbers[0] == numbers[1] > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_an_import_that_is_interrupted_shows_a_bar_until_then_and_leaves_nothing(
    start: Start, here: Path, inventory: Inventory, tmp_path: Path, terminal: tuple[int, int], number: signal.Signals
) -> None:
    reading, writing = terminal
    process = start("import", products(tmp_path / "large.csv", LONG), stderr=writing)
    os.close(writing)
    seen_on(reading, "Guardando", process)
    process.send_signal(number)
    seen_on(reading, "WEB-008", process)
    out, _ = process.communicate(timeout=PATIENCE)

    assert here.exists()
    assert (process.returncode, out) == (1, "")
    assert count_products(inventory, ProductFilter()).number == 0
    assert verify(inventory).faults == ()


def test_a_disk_that_fills_up_during_an_import_is_one_line_and_leaves_nothing(
    start: Start, here: Path, inventory: Inventory, tmp_path: Path
) -> None:
    limit = 1_000_000

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = start("import", products(tmp_path / "large.csv", SHORT), preexec_fn=fill)
    _, said = process.communicate(timeout=PATIENCE)

    assert here.exists()
    assert process.returncode == 1
    assert said.startswith("inventory: INV-017: ")
    assert said.count("\n") == 1
    assert count_products(inventory, ProductFilter()).number == 0
    assert verify(inventory).faults == ()


def test_a_disk_that_is_full_during_an_export_is_one_line_and_leaves_no_half_file(
    start: Start, run: Run, here: Path, tmp_path: Path
) -> None:
    assert run("import", products(tmp_path / "large.csv", SHORT)).code == 0
    target = tmp_path / "out.csv"

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = start("export", target, preexec_fn=fill)
    _, said = process.communicate(timeout=PATIENCE)

    assert here.exists()
    assert process.returncode == 1
    assert said.startswith("inventory: ")
    assert said.count("\n") == 1
    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site"
    monkeypatch.setenv("PYTHONPATH", str(site))
    return install_noting_plugin(site)


def test_serve_delivers_outbox_events_of_other_processes_and_import_does_not(
    start: Start, here: Path, noted: Path, tmp_path: Path
) -> None:
    imported = start("import", products(tmp_path / "products.csv", 2), "--json")
    assert imported.wait(PATIENCE) == 0
    assert not noted.exists()

    process = start("serve", "--port", "0")
    address_of(process)
    wait_for_line(noted, 1)
    again = tmp_path / "again.csv"
    again.write_text("code,name,quantity\nB-2,Silla,4\n", "utf-8")
    assert start("import", again, "--json").wait(PATIENCE) == 0
    wait_for_line(noted, 2)
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE) == 0
    assert noted.read_text("utf-8").split() == ["C-000001", "B-2"]
    assert here.exists()


def test_outbox_deliver_takes_what_is_due_and_exits(start: Start, here: Path, noted: Path, tmp_path: Path) -> None:
    assert start("import", products(tmp_path / "products.csv", 3), "--json").wait(PATIENCE) == 0
    process = start("outbox", "deliver")
    said, _ = process.communicate(timeout=PATIENCE)

    assert (process.returncode, said) == (0, "2 eventos entregados.\n")
    assert noted.read_text("utf-8").split() == ["C-000001", "C-000002"]
    assert here.exists()


def wait_for_line(file: Path, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while not (file.exists() and len(file.read_text("utf-8").splitlines()) >= number):
        assert time.monotonic() < end, f"no line {number} in {file}"
        time.sleep(0.05)
