"""Other processes on the same database; the program is imported once for all of them, in a server of which they are copies."""

import multiprocessing
from multiprocessing.context import ForkServerContext

CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["__main__", "inventory_core.testing"])
