"""A Flask application as gunicorn loads it: its cluster is in use before the workers are forked."""

import os

from flask import Flask

from inventory_replication import ReplicatedCluster
from tests.replication.faults.settings import read_settings
from tests.replication.flask.instances import instance
from tests.replication.runtime.clusters import put


def create() -> Flask:
    cluster = ReplicatedCluster(read_settings(os.environ["PRELOADED_SETTINGS"]))
    table = os.environ["PRELOADED_TABLE"]
    with cluster.causal():
        cluster.write(put(table, 0))
        with cluster.reader():
            app = instance(cluster, table)
    app.add_url_rule("/process", "process", lambda: str(os.getpid()))
    return app
