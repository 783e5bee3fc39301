"""Units of work over one MySQL source and its replicas, for any SQLAlchemy application."""

from inventory_replication.cluster import ReplicatedCluster as ReplicatedCluster
from inventory_replication.config import ClusterConfig as ClusterConfig
from inventory_replication.config import Credentials as Credentials
from inventory_replication.config import Server as Server
from inventory_replication.connections import ConnectionLimits as ConnectionLimits
from inventory_replication.connections import TlsPolicy as TlsPolicy
from inventory_replication.context import CausalContext as CausalContext
from inventory_replication.decisions.gtid import GtidSet as GtidSet
from inventory_replication.errors import ReplicationError as ReplicationError
from inventory_replication.policies import BreakerPolicy as BreakerPolicy
from inventory_replication.policies import MonitorPolicy as MonitorPolicy
from inventory_replication.policies import RetryPolicy as RetryPolicy
from inventory_replication.policies import RoutingPolicy as RoutingPolicy
from inventory_replication.policies import TokenKey as TokenKey
from inventory_replication.policies import TokenPolicy as TokenPolicy
from inventory_replication.single import SingleServer as SingleServer
from inventory_replication.status import ClusterStatus as ClusterStatus
from inventory_replication.status import ServerStatus as ServerStatus

__all__ = [
    "BreakerPolicy",
    "CausalContext",
    "ClusterConfig",
    "ClusterStatus",
    "ConnectionLimits",
    "Credentials",
    "GtidSet",
    "MonitorPolicy",
    "ReplicatedCluster",
    "ReplicationError",
    "RetryPolicy",
    "RoutingPolicy",
    "Server",
    "ServerStatus",
    "SingleServer",
    "TlsPolicy",
    "TokenKey",
    "TokenPolicy",
]
