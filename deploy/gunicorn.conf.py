"""gunicorn's settings for one instance: a few processes with threads."""

import gc
import os
import sys
import tempfile

# Chosen before prometheus_client is imported: each worker answers /metrics for all workers of the instance.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", "/dev/shm/inventory-metrics")

from inventory_web.app import create_app
from inventory_web.blueprints.ops.metrics import clear_folder, forget_process
from inventory_web.cli.errors import report_error
from inventory_web.cli.serve import GunicornLog
from inventory_web.http.gunicorn_worker import DrainingWorker
from inventory_web.http.logs import configure_logging
from inventory_web.settings import Settings

bind = "0.0.0.0:8000"
worker_class = DrainingWorker
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("INVENTORY_THREADS", "8"))

# The code is imported here, once, and shared by the workers; each makes its application, with engines and monitor, after its fork.
preload_app = False

# A thread may be busy with a long export for as long as NGINX waits; this only finds a worker whose main loop hangs.
timeout = 60
# Longer than any page; `stop_grace_period` in docker-compose.yml is longer still.
graceful_timeout = 30
# NGINX opens a connection for each request, so that a change is never sent on one that is just being closed.
keepalive = 0
backlog = 256
# Above the limit of NGINX (`large_client_header_buffers`), which responds to too many cookies.
limit_request_field_size = 40 * 1024

worker_tmp_dir = "/dev/shm"
control_socket_disable = True
proc_name = "inventory"

# The application logs one JSON line for each request, with its id; gunicorn's own lines go the same way.
logger_class = GunicornLog
loglevel = "warning"


def on_starting(_server):
    """Report wrong settings in one line, before a worker fails."""
    try:
        # Cached now, while there is space: later, a full disk would look like a missing folder.
        tempfile.gettempdir()
        clear_folder()
        settings = Settings.from_environment()
        configure_logging(settings.log_level)
        create_app(settings)
    except Exception as error:
        sys.exit(report_error(error))
    # Objects that exist now stay: the workers share their memory as long as the garbage collector does not touch every page.
    gc.collect()
    gc.freeze()


def child_exit(_server, worker):
    """Drop the gauges of a worker that has ended."""
    forget_process(worker.pid)
