"""Units of work over one MySQL source and its replicas, for any SQLAlchemy application.

This is the public interface. The Flask integration is the one public module below it
(``inventory_replication.integrations.flask``), so that this package does not need Flask.
"""

from inventory_replication.cluster import ReplicatedCluster
from inventory_replication.config import (
    BreakerPolicy,
    ClusterConfig,
    ConnectionLimits,
    Credentials,
    MonitorPolicy,
    RetryPolicy,
    RoutingPolicy,
    Server,
    TlsPolicy,
    TokenKey,
    TokenPolicy,
)
from inventory_replication.context import CausalContext
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.errors import (
    AccessRefused,
    CausalTimeout,
    CommitUnknown,
    ConfigurationError,
    DatabaseBusy,
    InvalidGtidSet,
    LostWriteDetected,
    NoEligibleReplica,
    ProvisioningRefused,
    ReadOnlyUnitError,
    ReplicationError,
    ServerLost,
    ServerUnsuitable,
    SourceUnavailable,
    SplitBrainDetected,
    SwitchoverRefused,
    UnitOfWorkMisused,
)
from inventory_replication.status import ClusterStatus, ServerStatus

__all__ = [
    "AccessRefused",
    "BreakerPolicy",
    "CausalContext",
    "CausalTimeout",
    "ClusterConfig",
    "ClusterStatus",
    "CommitUnknown",
    "ConfigurationError",
    "ConnectionLimits",
    "Credentials",
    "DatabaseBusy",
    "GtidSet",
    "InvalidGtidSet",
    "LostWriteDetected",
    "MonitorPolicy",
    "NoEligibleReplica",
    "ProvisioningRefused",
    "ReadOnlyUnitError",
    "ReplicatedCluster",
    "ReplicationError",
    "RetryPolicy",
    "RoutingPolicy",
    "Server",
    "ServerLost",
    "ServerStatus",
    "ServerUnsuitable",
    "SourceUnavailable",
    "SplitBrainDetected",
    "SwitchoverRefused",
    "TlsPolicy",
    "TokenKey",
    "TokenPolicy",
    "UnitOfWorkMisused",
]
