"""The real servers are there for every test of this folder that asks for them."""

from tests.replication.mysql.fixtures import (
    ca_file,
    certificates,
    cluster,
    cluster_for,
    engine_for,
    mysql_compose,
    proxy,
    replica_set,
    servers,
    spare,
    table,
    tls,
)

__all__ = [
    "ca_file",
    "certificates",
    "cluster",
    "cluster_for",
    "engine_for",
    "mysql_compose",
    "proxy",
    "replica_set",
    "servers",
    "spare",
    "table",
    "tls",
]
