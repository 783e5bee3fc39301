"""What a check needs of the machine besides Python, and what is missing. Standard library only: nox reads it too."""

import os
import shutil
import subprocess
from functools import cache

REQUIRED_VARIABLE = "INVENTORY_TEST_REQUIRE"
"""Names, separated by commas, of the capabilities without which a check fails instead of being left out."""

CHROMIUM_VARIABLE = "INVENTORY_TEST_CHROMIUM"
"""Path of the Chromium to use, where it is not on the path under one of its usual names."""

MARKERS = {"mysql": "docker", "stack": "docker", "browser": "browser"}
"""Which capability the tests with a marker need."""

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    chosen = os.environ.get(CHROMIUM_VARIABLE)
    return next((found for name in ([chosen] if chosen else CHROMIUM_NAMES) if (found := shutil.which(name))), None)


@cache
def missing(capability: str) -> str | None:
    """What this machine lacks for `docker` or `browser`, said to the person who may install it; None if nothing."""
    if capability == "browser":
        return None if chromium() else f"Chromium on the path, or its path in {CHROMIUM_VARIABLE}"
    if capability == "docker":
        if not _answers("docker", "info"):
            return "a running Docker engine that this user may use (`docker info`)"
        return (
            None
            if _answers("docker", "compose", "version")
            else "the Compose plugin of Docker (`docker compose version`)"
        )
    raise ValueError(f"{capability!r} is no capability; {REQUIRED_VARIABLE} takes: docker, browser")


def required() -> frozenset[str]:
    """The capabilities that `INVENTORY_TEST_REQUIRE` names."""
    named = frozenset(filter(None, map(str.strip, os.environ.get(REQUIRED_VARIABLE, "").split(","))))
    if unknown := named - set(MARKERS.values()):
        raise ValueError(f"{REQUIRED_VARIABLE} names {', '.join(sorted(unknown))}; it takes: docker, browser")
    return named


def _answers(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
