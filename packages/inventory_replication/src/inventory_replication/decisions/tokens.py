"""Causal tokens: what a client has written and must therefore see, and their signed text.

A received text is untrusted until its signature is verified, and limited in size even then.

Format: ``c1.<key id>.<payload>.<signature>``; payload and signature in URL-safe Base64 without padding. The payload is ``<issue
time>;<u or ->;<cluster>;<GTID set>``. The signature is HMAC-SHA256 over everything before it, with a key derived from the
configured secret for this purpose alone, so that no other signature made with the same secret can pass for a token.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from inventory_replication.config import TokenPolicy
from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.errors import ConfigurationError, InvalidGtidSet


@dataclass(frozen=True, slots=True)
class CausalToken:
    """The commits that a read must not miss. Immutable.

    Args:
        cluster: The cluster of the commits.
        gtids: Their GTIDs.
        unknown: There is a commit with an unknown GTID: only the source is known to have it.
        issued_at: When the last commit was added, in whole seconds since 1970 UTC. Used only to expire old tokens.
    """

    cluster: str
    gtids: GtidSet = EMPTY
    unknown: bool = False
    issued_at: int = 0

    @property
    def requires_nothing(self) -> bool:
        """Whether any state satisfies it."""
        return not self.unknown and self.gtids.is_empty()

    def with_commit(self, gtids: GtidSet, utc_now: float) -> "CausalToken":
        """Add the GTIDs that a commit reported; empty for a commit that changed nothing."""
        if gtids.is_empty():
            return self
        return replace(self, gtids=self.gtids | gtids, issued_at=max(self.issued_at, int(utc_now)))

    def with_unknown_commit(self, utc_now: float) -> "CausalToken":
        """Add a possible commit whose GTID is unknown."""
        return replace(self, unknown=True, issued_at=max(self.issued_at, int(utc_now)))

    def merged(self, other: "CausalToken") -> "CausalToken":
        """Return what both tokens require together.

        Raises:
            ConfigurationError: They belong to different clusters.
        """
        if other.cluster != self.cluster:
            raise ConfigurationError(
                f"A causal token of {other.cluster!r} cannot be joined with one of {self.cluster!r}."
            )
        return CausalToken(
            self.cluster,
            self.gtids | other.gtids,
            unknown=self.unknown or other.unknown,
            issued_at=max(self.issued_at, other.issued_at),
        )

    def pruned(self, replicas: Iterable[GtidSet | None]) -> "CausalToken":
        """Remove what every replica already has.

        Args:
            replicas: Last known executed set of **every** replica that any instance might read from, including those out of
                service, because they come back; ``None`` for an unknown one, which keeps everything. The source has what it
                committed and need not be included. Without a replica everything is removed.
        """
        everywhere = self.gtids
        for executed in replicas:
            everywhere = everywhere & (executed or EMPTY)
            if everywhere.is_empty():
                return self
        return replace(self, gtids=self.gtids - everywhere)

    def without_holes(self, executed: GtidSet) -> "CausalToken":
        """Fill the holes between own commits with other commits, so that the text stays short.

        A server that has the last of a series usually has the ones before it too, so readers do not wait longer.

        Args:
            executed: What the source is known to have. Only this is filled in: a read would wait forever for a number that was
                never used.
        """
        return replace(self, gtids=self.gtids.without_holes(executed))

    def without(self, lost: GtidSet) -> "CausalToken":
        """Remove transactions that were lost with a former source. Call it only after the loss was reported."""
        return replace(self, gtids=self.gtids - lost)

    def resolved(self, source_executed: GtidSet) -> "CausalToken":
        """Replace the unknown commits by GTIDs.

        Args:
            source_executed: Executed set of the source, read **from the source after** the unknown commit. It requires more than
                necessary, which costs time but is correct.
        """
        return replace(self, gtids=self.gtids | source_executed, unknown=False) if self.unknown else self


_VERSION: Final = "c1"
_PURPOSE: Final = b"inventory_replication causal token c1"
_FORM = re.compile(r"(c1)\.([A-Za-z0-9_-]{1,16})\.([A-Za-z0-9_-]{1,4096})\.([A-Za-z0-9_-]{43})", re.ASCII)
_PAYLOAD = re.compile(r"([0-9]{1,12});([u-]);([^;]{1,64});([^;]*)", re.ASCII)


class TokenVerdict(StrEnum):
    """The result of reading a text."""

    VALID = "valid"
    ABSENT = "absent"
    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    FOREIGN_CLUSTER = "foreign_cluster"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class TokenReading:
    """A verdict, and the token if there is one.

    Args:
        verdict: The verdict, for counters.
        token: The token if the text is valid, else ``None``.
    """

    verdict: TokenVerdict
    token: CausalToken | None = None

    @property
    def rejected(self) -> bool:
        """Whether a token was received and rejected. The read then goes to the source, and the carrier is replaced."""
        return self.verdict not in {TokenVerdict.VALID, TokenVerdict.ABSENT}


class TokenCodec:
    """Encodes and decodes the tokens of one cluster. Thread-safe.

    Args:
        policy: Keys, size and age.
        cluster: Tokens of other clusters are rejected.
    """

    __slots__ = ("_cluster", "_keys", "_policy")

    def __init__(self, policy: TokenPolicy, cluster: str) -> None:
        self._policy = policy
        self._cluster = cluster
        self._keys = {key.key_id: hmac.digest(key.secret, _PURPOSE, "sha256") for key in policy.keys}

    def encode(self, token: CausalToken) -> str:
        """Return the signed text, at most ``max_bytes`` ASCII characters that need no quoting in a URL, header or cookie.

        A token that requires nothing has the empty text. One that is too long is replaced by one that sends its reader to the
        source; `CausalToken.resolved` with a fresh set of the source makes it short again.
        """
        if token.requires_nothing:
            return ""
        text = self._signed(token.issued_at, token.gtids.compact(), unknown=token.unknown)
        if len(text) > self._policy.max_bytes:
            return self._signed(token.issued_at, "", unknown=True)
        return text

    def decode(self, text: str | None, utc_now: float) -> TokenReading:
        """Decode an untrusted text. Never raises because of its content.

        Args:
            text: From a cookie, header or message; ``None`` or empty if there is none.
            utc_now: Seconds since 1970 UTC. A token from the future is valid: clocks of instances differ, and the signature is
                ours.
        """
        if not text:
            return TokenReading(TokenVerdict.ABSENT)
        if len(text) > self._policy.max_bytes:
            return TokenReading(TokenVerdict.OVERSIZED)
        form = _FORM.fullmatch(text)
        if form is None:
            return TokenReading(TokenVerdict.MALFORMED)
        _, key_id, payload, signature = form.groups()
        key = self._keys.get(key_id)
        if key is None:
            return TokenReading(TokenVerdict.UNKNOWN_KEY)
        if not hmac.compare_digest(_signature(key, text[: -len(signature) - 1]), signature):
            return TokenReading(TokenVerdict.BAD_SIGNATURE)
        return self._opened(payload, utc_now)

    def _opened(self, payload: str, utc_now: float) -> TokenReading:
        """Decode a payload with a valid signature; other versions of this package may have signed it."""
        try:
            parts = _PAYLOAD.fullmatch(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode("ascii"))
            if parts is None:
                return TokenReading(TokenVerdict.MALFORMED)
            issued_at, mark, cluster, gtids = parts.groups()
            token = CausalToken(cluster, GtidSet.parse(gtids), unknown=mark == "u", issued_at=int(issued_at))
        except (ValueError, InvalidGtidSet):
            return TokenReading(TokenVerdict.MALFORMED)
        if token.cluster != self._cluster:
            return TokenReading(TokenVerdict.FOREIGN_CLUSTER)
        if utc_now - token.issued_at > self._policy.max_age:
            return TokenReading(TokenVerdict.EXPIRED)
        return TokenReading(TokenVerdict.VALID, token)

    def _signed(self, issued_at: int, gtids: str, *, unknown: bool) -> str:
        key_id = self._policy.keys[0].key_id
        payload = f"{issued_at};{'u' if unknown else '-'};{self._cluster};{gtids}"
        body = f"{_VERSION}.{key_id}.{_base64(payload.encode('ascii'))}"
        return f"{body}.{_signature(self._keys[key_id], body)}"


def _signature(key: bytes, body: str) -> str:
    return _base64(hmac.digest(key, body.encode("ascii"), hashlib.sha256))


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
