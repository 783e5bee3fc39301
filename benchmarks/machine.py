"""The machine of a run."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def description(**versions: str) -> dict[str, str]:
    """Return the machine and the relevant versions, as lines of a list."""
    return {
        "Processor": _processor(),
        "Cores": str(os.cpu_count()),
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        **versions,
        "Load at the beginning": f"{os.getloadavg()[0]:.1f}",
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
