"""All settings. No other module reads the environment."""

import ipaddress
import platform
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from flask_babel import gettext
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from inventory_web.errors import SettingsRefused

PREFIX = "INVENTORY_"
SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 10
SAMPLE = "sample-"
"""Prefix of the public example secrets for trying the containers."""
LOCAL_NETWORKS = "local"
_HOST_NAME = re.compile(r"\.?[^\s:/@\[\]]+|\[[0-9A-Fa-f:.]+\]")

Words = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseModel):
    """The settings of one application. Frozen; tests and embedding programs create one with keyword arguments.

    Each field is the environment variable of the same name with the prefix ``INVENTORY_``; see ``docs/settings.md``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="The source, or the only database, as a SQLAlchemy URL",
        json_schema_extra={"shown_default": "SQLite in the user's data folder"},
    )
    replica_urls: Words = Field(
        default=(),
        description="Replicas, comma-separated; empty means no replication",
        json_schema_extra={"secret": True},
    )
    database_password: SecretStr = Field(
        default=SecretStr(""),
        description="The password for URLs above that contain none",
        json_schema_extra={"shown_default": "empty"},
    )
    monitor_user: str = Field(
        default="monitor", description="The account that monitors the replicas, if it has a password"
    )
    monitor_password: SecretStr = Field(
        default=SecretStr(""),
        description="Its password; without one, the account of the application is used",
        json_schema_extra={"shown_default": "empty"},
    )
    first_password: SecretStr = Field(
        default=SecretStr(""),
        description="Initial password of `admin`: `inventory migrate` sets it if the public one was never changed",
        json_schema_extra={"shown_default": "empty"},
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Signs cookies and forms, encrypts second factors; at least 32 characters and the same on every instance",
        json_schema_extra={"shown_default": "generated and stored next to the SQLite file; required in production"},
    )
    secret_key_old: SecretStr = Field(
        default=SecretStr(""),
        description="A second key that is also accepted, while the secret key is being replaced",
        json_schema_extra={"shown_default": "empty"},
    )
    env: Literal["development", "production"] = Field(
        default="development",
        description="`production` refuses unsafe defaults and requires a new password for the first account",
    )
    instance: str = Field(
        default_factory=platform.node,
        min_length=1,
        max_length=100,
        description="The name shown by `/health` and in the header `X-Served-By`",
        json_schema_extra={"shown_default": "the host name"},
    )
    language: Literal["es", "en"] = Field(
        default="es",
        description="Language of pages if the browser requests neither Spanish nor English, and of the command line if neither "
        "`LC_ALL` nor `LANG` names one of the two",
    )
    timezone: str = Field(default="UTC", description="Time zone of pages, such as `Europe/Madrid`")
    metrics_allow: Words = Field(
        default=(LOCAL_NETWORKS,),
        description="Networks that may read `/metrics`, and server names at `/health`, comma-separated; `local` means loopback "
        "and private networks without `X-Forwarded-For`",
    )
    hosts: Words = Field(
        default=(),
        description="Host names of the application, comma-separated, such as `stock.example.org`; `.example.org` includes all "
        "subdomains",
        json_schema_extra={"shown_default": "any; in production `localhost` and IP addresses only"},
    )
    proxies: int = Field(
        default=0, ge=0, le=5, description="Number of trusted proxies that set `X-Forwarded-*` headers"
    )
    cookie_secure: bool | None = Field(
        default=None,
        description="Send cookies over HTTPS only; use `false` only if users really connect over plain HTTP",
        json_schema_extra={"shown_default": "`true` in production, else `false`"},
    )
    session_hours: int = Field(default=12, ge=1, le=720, description="Hours of inactivity after which a session ends")
    session_max_hours: int = Field(
        default=168, ge=1, le=8760, description="Hours after which a session ends even if it is in use"
    )
    second_factor: Literal["optional", "admin"] = Field(
        default="optional", description="`admin` requires administrators to set up a second factor"
    )
    reason_required: bool = Field(default=False, description="Require a reason to issue, receive or undo")
    plugins_off: Words = Field(
        default=(),
        description="Installed plugins that are not loaded, comma-separated, with their names from `inventory plugins`",
    )
    jobs_per_account: int = Field(
        default=10, ge=1, le=1_000, description="Maximum number of waiting and running jobs per account"
    )
    stored_mb_per_account: int = Field(
        default=512,
        ge=1,
        le=1_000_000,
        description="Maximum size in MB of one account's uploads and prepared exports; they are deleted after a day",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Minimum level of log lines"
    )

    @field_validator("replica_urls", "metrics_allow", "hosts", "plugins_off", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(gettext("no existe esa zona horaria")) from error
        return value

    @field_validator("metrics_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            if word != LOCAL_NETWORKS:
                _network(word)
        return value

    @field_validator("hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            if not _HOST_NAME.fullmatch(word):
                raise ValueError(gettext("«%(word)s» no es un nombre como stock.example.org", word=word))
        return tuple(word.lower() for word in value)

    @property
    def production(self) -> bool:
        """Return whether unsafe defaults are refused."""
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        """Return whether browsers send the cookies over HTTPS only."""
        return self.production if self.cookie_secure is None else self.cookie_secure

    @classmethod
    def from_environment(cls, **given: Any) -> Self:
        """Read the environment and, for secrets, the files named by ``INVENTORY_…_FILE``; ``given`` takes precedence.

        Raises ``SettingsRefused`` with one line for each invalid value.
        """
        try:
            values = _Environment(**given).model_dump(exclude_unset=True)
            return cls(**values)
        except ValidationError as error:
            raise SettingsRefused(*(_line(fault) for fault in error.errors())) from None

    def require_safe(self) -> None:
        """Raise ``SettingsRefused`` with one line for each default that is unsafe in production."""
        if not self.production:
            return
        faults = []
        key = self.secret_key.get_secret_value()
        if not key:
            faults.append(
                gettext(
                    "INVENTORY_SECRET_KEY es obligatoria en producción; cree una con: %(command)s",
                    command="python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
                )
            )
        elif not _hard_to_guess(key):
            faults.append(
                gettext(
                    "INVENTORY_SECRET_KEY es fácil de adivinar: use %(number)s caracteres al azar como mínimo",
                    number=SHORTEST_SECRET,
                )
            )
        old = self.secret_key_old.get_secret_value()
        if old and not _hard_to_guess(old):
            faults.append(
                gettext(
                    "INVENTORY_SECRET_KEY_OLD es fácil de adivinar: use %(number)s caracteres al azar como mínimo",
                    number=SHORTEST_SECRET,
                )
            )
        if not self.database_url.get_secret_value():
            faults.append(gettext("INVENTORY_DATABASE_URL es obligatoria en producción: diga dónde están los datos"))
        if any(ipaddress.ip_network(word).prefixlen == 0 for word in self.metrics_allow if word != LOCAL_NETWORKS):
            faults.append(
                gettext("INVENTORY_METRICS_ALLOW deja leer /metrics a cualquiera: nombre las redes que pueden")
            )
        faults += [
            gettext(
                "%(name)s lleva un secreto de muestra, que todo el mundo conoce: cree otros con deploy/setup.sh o deploy/setup.ps1",
                name=f"{PREFIX}{name.upper()}",
            )
            for name, value in self._secrets()
            if value.startswith(SAMPLE)
        ]
        if faults:
            raise SettingsRefused(*faults)

    def _secrets(self) -> Iterator[tuple[str, str]]:
        """Yield each secret with the name of its setting; for a URL, its password."""
        yield "database_url", _password_in(self.database_url.get_secret_value())
        for url in self.replica_urls:
            yield "replica_urls", _password_in(url)
        for name in ("database_password", "monitor_password", "first_password", "secret_key", "secret_key_old"):
            yield name, getattr(self, name).get_secret_value()


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads secrets from the files named by ``INVENTORY_<NAME>_FILE``, as container platforms mount them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{PREFIX}{field_name}_FILE"
        path = self._variables.get(variable.lower()) if is_secret(field) else None
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text("utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else gettext("no es texto UTF-8")
            name = variable.upper()
            raise SettingsRefused(
                gettext("%(name)s: no se puede leer %(path)s: %(reason)s", name=name, path=path, reason=reason)
            ) from None

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def _variables(self) -> Mapping[str, str | None]:
        return EnvSettingsSource(self.settings_cls).env_vars


class _Environment(BaseSettings, Settings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _SecretFiles(settings_cls)


def _hard_to_guess(key: str) -> bool:
    return len(key) >= SHORTEST_SECRET and len(set(key)) >= FEWEST_CHARACTERS


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(word)
    except ValueError:
        raise ValueError(gettext("«%(word)s» no es una red como 10.0.0.0/8", word=word)) from None


def _password_in(url: str) -> str:
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def is_secret(field: FieldInfo) -> bool:
    """Return whether the setting may also come from a file."""
    extra = field.json_schema_extra
    return field.annotation is SecretStr or (isinstance(extra, dict) and bool(extra.get("secret")))


def _line(fault: Any) -> str:
    name = PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else PREFIX.rstrip("_")
    limits = fault.get("ctx", {})
    allowed = {
        "literal_error": gettext("se admite %(values)s", values=limits.get("expected")),
        "int_parsing": gettext("debe ser un número entero"),
        "bool_parsing": gettext("debe ser true o false"),
        "greater_than_equal": gettext("el mínimo es %(limit)s", limit=limits.get("ge")),
        "less_than_equal": gettext("el máximo es %(limit)s", limit=limits.get("le")),
    }
    reason = allowed.get(fault["type"]) or str(limits.get("error") or fault["msg"])
    shown = "" if "URL" in name or "SECRET" in name else f" ({fault['input']!r})"
    return gettext("%(name)s: valor no válido%(shown)s: %(reason)s", name=name, shown=shown, reason=reason)
