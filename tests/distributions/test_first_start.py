"""The installed command sets itself up from nothing, serves, and ends on a signal."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.build, pytest.mark.slow, pytest.mark.timeout(600)]

START_SECONDS = 120.0
FEWEST_PRODUCTS = 20


@pytest.fixture
def demo(environment: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`inventory demo` of an installation of its own, on a port that the system picks, with an empty data folder."""
    settings = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            [environment / "inventory", "demo", "--port", "0"],
            cwd=tmp_path,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        yield process
        if process.poll() is None:
            process.kill()
        process.wait()


def test_the_demo_prints_address_and_login_serves_a_catalogue_and_ends_on_ctrl_c(
    demo: subprocess.Popen[str], environment: Path, tmp_path: Path
) -> None:
    address = address_of(demo, tmp_path / "output")

    with urllib.request.urlopen(f"{address}/login") as answer:  # noqa: S310 - the address that the demo printed
        page = answer.read().decode()
    demo.send_signal(signal.SIGINT)

    assert "<form" in page
    assert "admin123" in (tmp_path / "output").read_text()
    assert demo.wait(60) == 0
    data = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")}
    subprocess.run([environment / "inventory", "export", tmp_path / "all.csv"], env=data, check=True)
    assert len((tmp_path / "all.csv").read_text("utf-8-sig").splitlines()) > FEWEST_PRODUCTS


def address_of(process: subprocess.Popen[str], output: Path) -> str:
    """What the process says that it serves at, once it does."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"http://[\w.]+:\d+", output.read_text()):
            return found[0]
        time.sleep(0.1)
    pytest.fail(f"the demo did not say where it serves:\n{output.read_text()}")
