"""Many at the same moment."""

import contextvars
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
REPOSITORY = Path(__file__).parents[2]


def at_once(number: int, act: Callable[[int], T]) -> list[T]:
    """Run `act(0)` … `act(number - 1)` in threads that begin together, each in a copy of this thread's context."""
    barrier = threading.Barrier(number)

    def begin(which: int) -> T:
        barrier.wait()
        return act(which)

    contexts = [contextvars.copy_context() for _ in range(number)]
    with ThreadPoolExecutor(number) as pool:
        futures = [pool.submit(context.run, begin, which) for which, context in enumerate(contexts)]
        return [future.result() for future in futures]


def processes_at_once(number: int, module: str, *arguments: str) -> list[str]:
    """Run a module of this folder in this number of processes at the same time; return their output."""
    command = [sys.executable, "-m", f"tests.contracts.{module}", *arguments]
    processes = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    said = [process.communicate(timeout=120)[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * number
    return said
