"""Runs the parser of a file in its own process: a file that crashes it or exceeds its limits does no further harm."""

import json
import logging
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

from inventory_core.errors import FileRefused, StorageRefused
from inventory_core.importing import parser_main
from inventory_core.importing.protocol import Frame, FrameKind, Limits, TruncatedFrame, read_frames

_MAX_MESSAGE = 500
_LOG = logging.getLogger(__name__)


def parse_in_process(file: IO[bytes], *, filename: str, sheet: str | None, limits: Limits) -> Generator[Frame]:
    """Start a parser process and yield its frames of rows and its end; close the iterator to end it early.

    ``file`` is a real file, which is read from its position on. ``limits`` bound the time of the process and, if the platform
    allows, its memory. Raises ``FileRefused`` with the reasons of the parser, or ``too_demanding`` with ``memory``, ``time`` or
    ``crash`` if it does not finish; and ``StorageRefused`` if it cannot be started.
    """
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(
                _command(file.tell(), filename, sheet, limits),
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=messages,
                start_new_session=True,
            )
        except OSError as error:
            raise StorageRefused(
                f"the process that reads files cannot be started: {error.strerror or error}"
            ) from error
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limits.seconds, stop)
        timer.daemon = True
        timer.start()
        started = False
        try:
            for frame in _frames(process):
                started = True
                yield from _content_of(frame)
                if frame.kind is FrameKind.END:
                    return
            status = process.wait()
            if not started and not late.is_set():
                raise StorageRefused(f"the process that reads files cannot be started: {_last_line(messages)}")
            cause = _cause(status, late=late.is_set())
            _LOG.warning(
                "the reader of %r was ended (%s, status %s): %s", filename, cause, status, _last_line(messages)
            )
            raise FileRefused("too_demanding", cause)
        finally:
            timer.cancel()
            process.kill()
            process.communicate()


def _command(start: int, filename: str, sheet: str | None, limits: Limits) -> list[str]:
    request = {
        "path": [entry for entry in sys.path if entry],
        "start": start,
        "filename": filename,
        "sheet": sheet,
        "limits": limits._asdict(),
    }
    return [_python(), "-I", "-S", str(Path(parser_main.__file__)), json.dumps(request)]


def _python() -> str:
    """Return the interpreter; in a program that embeds Python, ``sys.executable`` may be that program."""
    here = Path(sys.executable or "")
    if here.name.lower().startswith(("python", "pypy")):
        return str(here)
    folder = Path(sys.exec_prefix)
    names = (folder / "bin" / "python3", folder / "python.exe", folder / "Scripts" / "python.exe")
    return str(next((path for path in names if path.exists()), here))


def _frames(process: "subprocess.Popen[bytes]") -> Iterator[Frame]:
    if process.stdout is not None:
        try:
            yield from read_frames(process.stdout)
        except TruncatedFrame:
            return


def _content_of(frame: Frame) -> Iterator[Frame]:
    if frame.kind is FrameKind.REFUSED:
        raise FileRefused(*frame.content)
    if frame.kind is not FrameKind.STARTED:
        yield frame


def _cause(status: int, *, late: bool) -> str:
    if late or status == -getattr(signal, "SIGXCPU", 0):
        return "time"
    # A library without memory aborts; the operating system kills.
    return "memory" if -status in (signal.SIGABRT, getattr(signal, "SIGKILL", 0)) else "crash"


def _last_line(messages: IO[bytes]) -> str:
    messages.seek(0)
    lines = messages.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:_MAX_MESSAGE] if lines else "it says nothing"
