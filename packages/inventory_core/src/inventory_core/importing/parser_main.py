"""The process that parses one file: the file on standard input, frames on standard output, the request as its argument.

``parser_process`` runs it as a script, without the packages that the rest of the library needs, so that it starts fast.
"""

import contextlib
import json
import sys
import types
from pathlib import Path


def main() -> None:
    """Read the request and the file, and send frames until the file ends or is refused."""
    request = json.loads(sys.argv[1])
    sys.path[:] = request["path"]
    package = types.ModuleType("inventory_core")
    # Replaces the package itself, whose module would import the whole library.
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules["inventory_core"] = package

    from inventory_core.importing.file_parser import parse_file  # noqa: PLC0415
    from inventory_core.importing.protocol import Frame, FrameKind, Limits, UnreadableFile, frame_of, write_frame  # noqa: PLC0415

    limits = Limits(**request["limits"])
    # Created before memory is short.
    out_of_memory = frame_of(FrameKind.REFUSED, "too_demanding", "memory")
    out = sys.stdout.buffer
    _limit_process(limits.memory, limits.seconds)
    # The parent may end first.
    with contextlib.suppress(BrokenPipeError):
        write_frame(out, Frame(FrameKind.STARTED))
        try:
            sys.stdin.buffer.seek(request["start"])
            content = sys.stdin.buffer.read(limits.file)
            for frame in parse_file(content, request["filename"], request["sheet"], limits):
                write_frame(out, frame)
        except UnreadableFile as error:
            write_frame(out, frame_of(FrameKind.REFUSED, error.reason, error.detail))
        except MemoryError:
            write_frame(out, out_of_memory)


def _limit_process(memory: int, seconds: float) -> None:
    """Limit this process, and lower its priority, as far as the platform allows."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import os  # noqa: PLC0415
        import resource  # noqa: PLC0415

        for which, amount in (
            (resource.RLIMIT_CORE, 0),
            # Its own messages only.
            (resource.RLIMIT_FSIZE, 1 << 16),
            (resource.RLIMIT_CPU, max(1, round(seconds))),
            (resource.RLIMIT_AS, memory),
        ):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(which, (amount, amount))
        os.nice(5)
    # If memory runs out nevertheless, the kernel ends this process and not the server.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


if __name__ == "__main__":
    main()
