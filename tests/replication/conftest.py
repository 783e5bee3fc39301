"""The real servers are there for every test of this folder that asks for them."""

from tests.replication.mysql.fixtures import certificates, mysql_compose, replica_set, servers, spare, table, tls

__all__ = ["certificates", "mysql_compose", "replica_set", "servers", "spare", "table", "tls"]
