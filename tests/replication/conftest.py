"""The real servers, for every test of this folder that needs them."""

from tests.replication.mysql.fixtures import cluster, cluster_for, engine_for, proxy, spare, table
from tests.replication.provisioning.fixtures import new_servers, trial

__all__ = ["cluster", "cluster_for", "engine_for", "new_servers", "proxy", "spare", "table", "trial"]
