"""The real servers are there for every test of this folder that asks for them."""

from tests.replication.mysql.fixtures import (
    certificates,
    engine_for,
    mysql_compose,
    proxy,
    replica_set,
    servers,
    spare,
    table,
    tls,
)

__all__ = ["certificates", "engine_for", "mysql_compose", "proxy", "replica_set", "servers", "spare", "table", "tls"]
