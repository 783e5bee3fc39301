"""The configuration of a cluster of the tests as text, to hand it to another process."""

import json

from inventory_replication import ClusterConfig, MonitorPolicy, RoutingPolicy, Server, TlsPolicy
from tests.replication.mysql.servers import APP, DATABASE, MONITOR, MySQLServer
from tests.replication.runtime.clusters import KEYS


def write_settings(servers: tuple[MySQLServer, ...], ca_file: object) -> str:
    return json.dumps({"servers": [[each.name, each.port] for each in servers], "ca_file": str(ca_file)})


def read_settings(text: str) -> ClusterConfig:
    named = json.loads(text)
    return ClusterConfig(
        cluster_id="tests",
        servers=tuple(Server(name, "127.0.0.1", port) for name, port in named["servers"]),
        database=DATABASE,
        app=APP,
        monitor_account=MONITOR,
        tokens=KEYS,
        monitor=MonitorPolicy(poll_interval=0.1),
        routing=RoutingPolicy(causal_wait_timeout=0.3),
        tls=TlsPolicy(named["ca_file"], verify_host=True),
    )
