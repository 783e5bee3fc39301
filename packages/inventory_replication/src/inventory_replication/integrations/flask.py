"""Causal tokens in the requests and responses of a Flask application, without sticky sessions or a shared store.

A browser carries its token in cookies, an API client in a header. Two responses to one browser may cross, so no response may
replace what it has not seen: each cookie has a name of its own and always holds the same token, and a response deletes only
cookies whose tokens are part of the one that it sets.
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar, cast

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import dump_cookie, parse_cookie
from werkzeug.wsgi import ClosingIterator

from inventory_replication.cluster import ReplicatedCluster
from inventory_replication.context import CausalContext
from inventory_replication.errors import (
    CausalTimeout,
    CommitUnknown,
    DatabaseBusy,
    LostWriteDetected,
    NoEligibleReplica,
    ReplicationError,
    ServerLost,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

P = ParamSpec("P")
R = TypeVar("R")

MAX_TOKENS: Final = 8
"""Tokens that are read from one request; with more, its readers go to the source."""
MAX_TOKEN_BYTES: Final = 3072
"""Names and values of all token cookies of one request; with more, its readers go to the source."""
MAX_COOKIES_REMOVED: Final = 24
"""Cookies that one response deletes, as proxies limit response headers. The next response continues."""
RETRY_AFTER: Final = "2"
"""Seconds after which a client may retry an unavailable database: several rounds of the monitor."""
CHANGED_HEADER: Final = "X-Changed"
"""Header of an error response: ``no``, ``yes`` or ``unknown``, whether the request has changed anything."""
RECENT_SECONDS: Final = 60.0
MAX_RECENT_BROWSERS: Final = 1024
_CONTEXT: Final = "inventory_replication.causal"
_TOO_MANY: Final = "too.many.tokens"
_UNAVAILABLE = (SourceUnavailable, NoEligibleReplica, CausalTimeout, DatabaseBusy, ServerLost)


class CausalRequests:
    """Open a causal context for each request of ``app`` and continue it in the response.

    The context stays open until the last byte of a streamed response. A request that does not use the cluster gets no cookie, so
    files that a cache may keep stay cacheable.

    Args:
        app: The application; its ``wsgi_app`` is replaced.
        cluster: The cluster that the views use.
        cookie: Prefix of the cookie names.
        header: Header that a client without cookies sends and receives; tokens are separated by commas.
        secure: Whether browsers send the cookies over HTTPS only.
        max_age: Seconds that a browser keeps a cookie; equal to ``TokenPolicy.max_age``.
        answer_errors: Handle errors of the database with `answer_error`; disable it if the application has its own error pages.
    """

    def __init__(
        self,
        app: Flask,
        cluster: ReplicatedCluster[Any],
        *,
        cookie: str = "causal",
        header: str = "X-Causal-Token",
        secure: bool = False,
        max_age: int = 86_400,
        answer_errors: bool = True,
    ) -> None:
        self._cluster = cluster
        self._prefix = f"{cookie}_"
        self._header = header
        self._variable = f"HTTP_{header.upper().replace('-', '_')}"
        self._secure = secure
        self._max_age = max_age
        self._recent = _RecentTokens()
        self._app: WSGIApplication = app.wsgi_app
        app.wsgi_app = self  # type: ignore[assignment, method-assign]
        if answer_errors:
            for kind in (*_UNAVAILABLE, CommitUnknown, LostWriteDetected):
                app.register_error_handler(kind, answer_error)

    def __call__(self, environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request; see PEP 3333."""
        cookies = _Cookies.of(environment, self._prefix)
        sent = _tokens(str(environment.get(self._variable, "")))
        open_contexts = ExitStack()
        texts = [_TOO_MANY] if cookies.too_large else [*cookies.tokens.values(), *sent]
        context = open_contexts.enter_context(self._open_context(texts))
        environment[_CONTEXT] = context

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            # A server may keep this very list.
            headers.extend(self._response_headers(context, cookies, by_header=bool(sent)))
            return start_response(status, headers, exc_info)

        try:
            body = self._app(environment, cast("StartResponse", start))
        except BaseException:
            open_contexts.close()
            raise
        return ClosingIterator(_Stream(body, context), [open_contexts.close])

    @contextmanager
    def _open_context(self, texts: list[str]) -> Iterator[CausalContext]:
        """Open one context with everything that the tokens represent."""
        # Each context starts with what the outer one carries.
        texts = texts[:MAX_TOKENS] + [_TOO_MANY] * (len(texts) > MAX_TOKENS)
        with ExitStack() as stack:
            for text in texts[:-1]:
                stack.enter_context(self._cluster.causal(text))
            yield stack.enter_context(self._cluster.causal(texts[-1] if texts else None))

    def _response_headers(
        self, context: CausalContext, cookies: "_Cookies", *, by_header: bool
    ) -> Iterator[tuple[str, str]]:
        stale = [served.staleness_seconds for served in context.served if served.role == "replica"]
        if stale:
            shown = "unknown" if None in stale else f"{max(each or 0.0 for each in stale):.3f}"
            yield "X-Staleness-Seconds", shown
        # A reported loss and too many cookies are handled even if no server was read.
        if not (context.served or context.given_up or cookies.too_large):
            return
        token = context.token or ""
        if by_header or (token and not cookies.tokens):
            yield self._header, token
        if by_header and not cookies.tokens:
            return
        if context.has_changed or len(cookies.tokens) > 1 or cookies.too_large:
            yield from self._replace_cookies(context, cookies)
        elif not token:
            yield from self._delete_cookies(cookies.tokens, cookies.path)

    def _replace_cookies(self, context: CausalContext, cookies: "_Cookies") -> Iterator[tuple[str, str]]:
        """Set one cookie for everything that the browser must see, and delete those that it replaces."""
        with self._recent.of(cookies.browser) as recent:
            for name, text in recent.items():
                if name not in cookies.tokens:
                    # The surrounding context takes over what the block carries.
                    with self._cluster.causal(text):
                        pass
            token = context.token or ""
            replaced = [*cookies.tokens, *recent]
            recent.clear()
            if token:
                name = self._prefix + (
                    secrets.token_hex(4) if context.carried.unknown else context.carried.gtids.digest()
                )
                recent[name] = token
                replaced = [each for each in replaced if each != name]
                yield "Set-Cookie", self._cookie(name, token, self._max_age, cookies.path)
        yield from self._delete_cookies(replaced, cookies.path)

    def _delete_cookies(self, names: Iterable[str], path: str) -> Iterator[tuple[str, str]]:
        for name in list(dict.fromkeys(names))[:MAX_COOKIES_REMOVED]:
            yield "Set-Cookie", self._cookie(name, "", 0, path)

    def _cookie(self, name: str, value: str, max_age: int, path: str) -> str:
        return dump_cookie(name, value, max_age=max_age, path=path, secure=self._secure, httponly=True, samesite="Lax")


def from_source(view: Callable[P, R]) -> Callable[P, R]:
    """Make every reader of this view read from the source."""

    @wraps(view)
    def on_source(*args: P.args, **kwargs: P.kwargs) -> R:
        current_context().from_source = True
        return view(*args, **kwargs)

    return on_source


def allow_stale(seconds: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Allow every reader of this view to use a replica up to ``seconds`` behind, except for the user's own changes.

    While there is no source, accept an older state than the token of the request requires.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def on_any(*args: P.args, **kwargs: P.kwargs) -> R:
            context = current_context()
            context.staleness_bound = seconds
            context.allow_stale = True
            return view(*args, **kwargs)

        return on_any

    return decorate


def current_context() -> CausalContext:
    """Return the causal context of this request.

    Raises:
        RuntimeError: The application has no `CausalRequests`.
    """
    context = request.environ.get(_CONTEXT)
    if not isinstance(context, CausalContext):
        raise RuntimeError("This application carries no causal tokens; call CausalRequests(app, cluster).")  # noqa: TRY004
    return context


def _tokens(text: str) -> list[str]:
    return [part for each in text.split(",") if (part := each.strip())]


def answer_error(error: ReplicationError) -> Response:
    """Return a plain text response to an error of the database.

    503 with ``Retry-After`` always means that nothing was changed, so a client or a balancer may send the request again. After
    an earlier write of the same request it is 500. An unknown commit is 504, so that a retry is a deliberate one. A lost write
    is 409: it was that of another request.
    """
    headers = Headers()
    if isinstance(error, CommitUnknown):
        status, headers[CHANGED_HEADER] = 504, "unknown"
    elif current_context().stored:
        status, headers[CHANGED_HEADER] = 500, "yes"
    elif isinstance(error, LostWriteDetected):
        status, headers[CHANGED_HEADER] = 409, "no"
    else:
        status, headers[CHANGED_HEADER], headers["Retry-After"] = 503, "no", RETRY_AFTER
    return Response(f"{error}\n", status, headers, mimetype="text/plain")


class _Cookies(NamedTuple):
    """The token cookies of a request by name, a fingerprint of the browser, and the path of the cookies.

    The path is the prefix of the application, so that several applications on one host do not share tokens.
    """

    tokens: dict[str, str]
    browser: bytes
    path: str

    @classmethod
    def of(cls, environment: "WSGIEnvironment", prefix: str) -> "_Cookies":
        cookies = parse_cookie(environment)
        ours = {name: value for name, value in cookies.items() if name.startswith(prefix) and value}
        others = {name: value for name, value in cookies.items() if name not in ours}
        mark = sorted((others or ours).items())
        # WSGI reads the bytes of an address as Latin-1.
        path = str(environment.get("SCRIPT_NAME", "")).encode("latin-1").decode("utf-8", "replace") or "/"
        return cls(ours, hashlib.sha256(repr(mark).encode()).digest() if mark else b"", path)

    @property
    def too_large(self) -> bool:
        size = sum(len(name) + len(value) for name, value in self.tokens.items())
        return len(self.tokens) > MAX_TOKENS or size > MAX_TOKEN_BYTES


class _RecentTokens:
    """Tokens sent by this process in the last minute, so that parallel responses to one browser leave a single cookie.

    A response takes over what earlier ones have set, and may therefore delete their cookies, in whatever order they arrive. A
    browser is identified by its other cookies, such as that of its login; without any, nothing is remembered. If two browsers
    are confused, they wait for each other's changes, nothing else.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: OrderedDict[bytes, tuple[float, dict[str, str]]] = OrderedDict()

    @contextmanager
    def of(self, browser: bytes) -> Iterator[dict[str, str]]:
        """Yield the cookies of this browser by name; the block may change them."""
        if not browser:
            yield {}
            return
        with self._lock:
            now = monotonic()
            sent_at, tokens = self._tokens.pop(browser, (now, {}))
            if now - sent_at > RECENT_SECONDS:
                tokens = {}
            yield tokens
            if tokens:
                self._tokens[browser] = now, tokens
            while len(self._tokens) > MAX_RECENT_BROWSERS:
                self._tokens.popitem(last=False)


class _Stream:
    """The body of a response whose headers are sent: its context refuses writes while a part is produced."""

    def __init__(self, body: Iterable[bytes], context: CausalContext) -> None:
        self._body = body
        self._parts = iter(body)
        self._context = context

    def __iter__(self) -> "_Stream":
        return self

    def __next__(self) -> bytes:
        self._context.streaming = True
        try:
            return next(self._parts)
        finally:
            self._context.streaming = False

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
