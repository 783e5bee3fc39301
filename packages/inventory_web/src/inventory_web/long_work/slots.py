"""Slots of an instance: work that needs much memory is done one at a time by all its processes together."""

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where one process serves
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


ACQUIRE_SECONDS = 0.05
"""How long to wait for a process that only looks whether there is work."""


class Slot:
    """A lock on a file in the temporary folder, which the system releases if the process ends."""

    def __init__(self, *names: str) -> None:
        """Name the slot; processes of this user with the same names share it."""
        user = str(os.getuid()) if hasattr(os, "getuid") else ""
        digest = hashlib.sha256("\0".join((user, *names)).encode()).hexdigest()[:32]
        self._path = Path(tempfile.gettempdir()) / f"inventory-{digest}.lock"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the slot; False if another thread or process has it. A temporary folder that refuses files limits nothing."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError:
            return True
        until = time.monotonic() + ACQUIRE_SECONDS
        while True:
            try:
                _lock(descriptor)
            except OSError:
                if time.monotonic() > until:
                    os.close(descriptor)
                    return False
                time.sleep(0.01)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Give the slot back."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
