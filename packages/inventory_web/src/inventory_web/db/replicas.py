"""The replicated database: its servers, its units of work and its status."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from flask_babel import gettext
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from inventory_core import (
    CommitUnknown,
    DatabaseBusy,
    ReadOnlyUnit,
    SessionSource,
    SingleDatabase,
    TransactionMisuse,
    translate_driver_error,
)
from inventory_replication import (
    ClusterConfig,
    ClusterStatus,
    ConfigurationError,
    Credentials,
    LostWriteDetected,
    ReadOnlyUnitError,
    ReplicatedCluster,
    ReplicationError,
    Server,
    TlsPolicy,
    TokenKey,
    TokenPolicy,
    UnitOfWorkMisused,
)
from inventory_replication import CommitUnknown as ReplicatedCommitUnknown
from inventory_replication.integrations.flask import current_context
from inventory_web.db.units_of_work import SharedReads, underlying
from inventory_web.errors import ClusterRefused, ConfirmedChangeLost, SettingsRefused
from inventory_web.settings import Settings

CLUSTER = "inventory"


def cluster_config(settings: Settings, url: URL, secrets: Sequence[str]) -> ClusterConfig:
    """Return the cluster of the server at ``url`` and those in ``INVENTORY_REPLICA_URLS``; probing finds the source.

    Account, database and TLS options come from ``url``: the application has one account. Keys derived from ``secrets`` sign causal
    tokens: the first one signs, all of them are accepted. Raises ``SettingsRefused`` with one line for each invalid URL.
    """
    if url.get_backend_name() != "mysql" or not url.host or not url.database or not url.username:
        raise SettingsRefused(
            gettext(
                "INVENTORY_REPLICA_URLS necesita que INVENTORY_DATABASE_URL sea mysql+pymysql://usuario@servidor/base; "
                "con SQLite déjela vacía"
            )
        )
    urls = [url, *_replica_urls(settings, url)]
    faults = [fault for each in urls[1:] for fault in _differences(each, url)]
    if faults:
        raise SettingsRefused(*faults)
    app = Credentials(url.username, url.password or "")
    monitor_password = settings.monitor_password.get_secret_value()
    try:
        return ClusterConfig(
            cluster_id=CLUSTER,
            servers=_servers(urls),
            database=url.database,
            app=app,
            monitor_account=Credentials(settings.monitor_user, monitor_password) if monitor_password else None,
            tokens=TokenPolicy(tuple(dict.fromkeys(map(_token_key, secrets)))),
            tls=_tls(url),
        )
    except ConfigurationError as error:
        raise SettingsRefused(f"INVENTORY_REPLICA_URLS: {error.message}") from None


def _replica_urls(settings: Settings, url: URL) -> list[URL]:
    try:
        return [make_url(each) for each in settings.replica_urls]
    except ArgumentError:
        raise SettingsRefused(
            gettext(
                "INVENTORY_REPLICA_URLS no es una lista de direcciones separadas por comas; escriba %(form)s",
                form=f"mysql+pymysql://replica/{url.database}",
            )
        ) from None


def _differences(replica: URL, url: URL) -> list[str]:
    """Return the parts of a replica's URL that must not differ. Passwords are hidden."""
    shown = replica.render_as_string(hide_password=True)
    if replica.get_backend_name() != "mysql" or not replica.host:
        return [gettext("INVENTORY_REPLICA_URLS: %(url)s no es un servidor MySQL", url=shown)]
    faults = []
    if replica.username not in (None, url.username) or replica.password not in (None, url.password):
        faults.append(gettext("INVENTORY_REPLICA_URLS: %(url)s usa otra cuenta que INVENTORY_DATABASE_URL", url=shown))
    if replica.database not in (None, "", url.database):
        faults.append(gettext("INVENTORY_REPLICA_URLS: %(url)s nombra otra base que INVENTORY_DATABASE_URL", url=shown))
    return faults


def _servers(urls: list[URL]) -> tuple[Server, ...]:
    """Return the servers, each named by its host, and by its port if several share the host."""
    hosts = Counter(url.host for url in urls)
    return tuple(
        Server(
            f"{url.host}-{url.port or 3306}" if hosts[url.host] > 1 else str(url.host), str(url.host), url.port or 3306
        )
        for url in urls
    )


def _token_key(secret: str) -> TokenKey:
    key = hmac.digest(secret.encode(), b"inventory causal tokens", "sha256")
    return TokenKey(hashlib.sha256(key).hexdigest()[:8], key)


def _tls(url: URL) -> TlsPolicy:
    ca_file = url.query.get("ssl_ca")
    check_host = url.query.get("ssl_check_hostname", "true" if ca_file else "false")
    return TlsPolicy(str(ca_file) if ca_file else None, verify_host=bool(ca_file) and check_host != "false")


__all__ = [
    "ClusterStatus",
    "ReplicatedDatabase",
    "causal_context",
    "current_token",
    "database_kind",
    "database_name",
    "has_single_writer",
    "may_be_behind",
    "reader_of_source",
    "replicated_metrics",
    "replicated_status",
    "require_token",
    "servers_of_request",
]

T = TypeVar("T")


class ReplicatedDatabase:
    """Reads on replicas and writes on the source; see ``inventory_replication``.

    Driver errors become those of a single database, and errors of the cluster become ``ClusterRefused``, so callers need not know
    which kind of database they use. Thread-safe; starts anew after a fork.
    """

    def __init__(self, cluster: ReplicatedCluster[Session], url: URL) -> None:
        self.cluster = cluster
        self._url = url

    @property
    def url(self) -> URL:
        """Return the URL of the application's account on one of the servers."""
        return self._url

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """Yield a session on one server that has what this request may expect to see."""
        with self._refusing(reading=True), self.cluster.reader() as session:
            yield session

    @contextmanager
    def source_reader(self) -> Iterator[Session]:
        """Yield a read-only session on the source."""
        with self._refusing(reading=True), self.cluster.reader(from_source=True) as session:
            yield session

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction on the source; it may be run again."""
        with self._refusing():
            return self.cluster.write(work)

    def close(self) -> None:
        """Stop the monitor and close every connection."""
        self.cluster.close()

    def source_url(self) -> URL:
        """Return the URL of the current source, with the account of the application. Raises ``ClusterRefused``."""
        with self._refusing():
            status = self.cluster.status()
            if status.source is None:
                # The reader's error is more precise than the status.
                with self.cluster.reader(from_source=True):
                    pass
            source = self.cluster.config.server(status.source or "")
        return self._url.set(host=source.host, port=source.port)

    @contextmanager
    def _refusing(self, *, reading: bool = False) -> Iterator[None]:
        try:
            yield
        except ReadOnlyUnitError as error:
            raise ReadOnlyUnit from error
        except UnitOfWorkMisused as error:
            if error.action == "streaming":
                raise
            raise TransactionMisuse(error.action) from error
        except ReplicatedCommitUnknown as error:
            raise CommitUnknown from error
        except LostWriteDetected as error:
            raise ConfirmedChangeLost(error) from error
        except ReplicationError as error:
            raise ClusterRefused(error) from error
        except PoolTimeout as error:
            raise DatabaseBusy(1) from error
        except DBAPIError as error:
            refused = translate_driver_error(error, self._url, reading=reading)
            if refused is None:
                raise
            raise refused from error


def reader_of_source(sessions: SessionSource) -> AbstractContextManager[Session]:
    """Return a reader that sees every confirmed change: of the source, or of the only database."""
    return sessions.source_reader() if isinstance(sessions, ReplicatedDatabase | SharedReads) else sessions.reader()


def current_token(sessions: SessionSource) -> str:
    """Return a token for everything that this request, or the thread that it started, has written; empty if there is nothing."""
    cluster = _cluster(sessions)
    if cluster is None:
        return ""
    with cluster.causal() as context:
        return context.token or ""


@contextmanager
def causal_context(sessions: SessionSource, token: str) -> Iterator[None]:
    """Run a block whose units of work see each other's changes and those of a token of ``current_token``."""
    cluster = _cluster(sessions)
    with nullcontext() if cluster is None else cluster.causal(token or None):
        yield


def require_token(sessions: SessionSource, token: str) -> None:
    """Require that this request, and the next ones of the same browser, see the changes of a token of ``current_token``."""
    cluster = _cluster(sessions)
    if token and cluster is not None:
        with cluster.causal(token):
            # The context of the request keeps what the block carries.
            pass


def has_single_writer(sessions: SessionSource) -> bool:
    """Return whether a writer waits until the previous one has ended, however long that takes."""
    database = underlying(sessions)
    return isinstance(database, SingleDatabase) and database.engine.dialect.name == "sqlite"


def may_be_behind(sessions: SessionSource) -> bool:
    """Return whether a reader may miss the latest changes of other users."""
    return _cluster(sessions) is not None


def replicated_status(sessions: SessionSource) -> ClusterStatus | None:
    """Return the status of the cluster as this process sees it; None with a single database."""
    cluster = _cluster(sessions)
    return None if cluster is None else cluster.status()


def servers_of_request(sessions: SessionSource) -> tuple[str, ...]:
    """Return the names of the servers that have served this request so far; empty with a single database."""
    if _cluster(sessions) is None:
        return ()
    return tuple(dict.fromkeys(served.server for served in current_context().served))


def database_name(sessions: SessionSource) -> str:
    """Return the identity of the database: its URL without the password."""
    database = underlying(sessions)
    url = database.engine.url if isinstance(database, SingleDatabase) else getattr(database, "url", "")
    return str(url)


def database_kind(sessions: SessionSource) -> str:
    """Return the SQLAlchemy name of the database kind: ``sqlite``, ``mysql``, ``postgresql``."""
    database = underlying(sessions)
    return database.engine.dialect.name if isinstance(database, SingleDatabase) else "mysql"


def replicated_metrics(sessions: SessionSource) -> str:
    """Return the metrics of the cluster as Prometheus text; empty with a single database."""
    cluster = _cluster(sessions)
    return "" if cluster is None else cluster.metrics()


def _cluster(sessions: SessionSource) -> ReplicatedCluster[Session] | None:
    database = underlying(sessions)
    return database.cluster if isinstance(database, ReplicatedDatabase) else None
