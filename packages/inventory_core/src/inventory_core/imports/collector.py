"""The garbage collector, told to wait by those who may."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Hold off cyclic garbage collection; an import, which makes millions of objects and no cycles, gains a seventh.

    For a process that does nothing else meanwhile, such as a command: it holds for every thread. What was set before is
    set again afterwards.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
