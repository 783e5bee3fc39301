"""Creates the cluster configuration from the settings."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence

from flask_babel import gettext
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from inventory_replication import (
    ClusterConfig,
    ConfigurationError,
    Credentials,
    Server,
    TlsPolicy,
    TokenKey,
    TokenPolicy,
)
from inventory_web.errors import SettingsRefused
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
