"""Causal tokens in the requests and answers of a Flask application: no sticky sessions, and no store that its instances share.

A browser carries its token in cookies, an API client in a header. Two answers to one browser may cross, so no answer may
replace what it has not seen: each cookie has a name of its own and stands for one token for good, and an answer takes away
only cookies whose tokens are part of the one that it sets.
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
"""Tokens that are read of one request; with more, its readers are sent to the source."""
MAX_TOKEN_BYTES: Final = 3072
"""Names and values of all token cookies of one request together; with more, its readers are sent to the source."""
MAX_COOKIES_REMOVED: Final = 24
"""Cookies that one answer takes away: its headers have a limit too, in a proxy that is in front. The next answer goes on."""
RETRY_AFTER: Final = "2"
"""Seconds after which a client that met an unavailable database may try again: the monitor asks several times in them."""
CHANGED_HEADER: Final = "X-Changed"
"""Header of an answer to an error: ``no``, ``yes`` or ``unknown``, whether the request has changed anything."""
RECENT_SECONDS: Final = 60.0
MAX_RECENT_BROWSERS: Final = 1024
_CONTEXT: Final = "inventory_replication.causal"
_TOO_MANY: Final = "too.many.tokens"
_UNAVAILABLE = (SourceUnavailable, NoEligibleReplica, CausalTimeout, DatabaseBusy, ServerLost)


class CausalRequests:
    """Opens a causal context for each request of ``app`` and carries it on in the answer.

    The context stays open until the last byte of a streamed answer. A request that does not touch the cluster gets no cookie,
    so files that a cache may keep stay cacheable.

    Args:
        app: Wrapped; its ``wsgi_app`` is replaced.
        cluster: What the views work on.
        cookie: Beginning of the cookies' names.
        header: Name of the header that a client without cookies sends and gets; tokens are separated by commas.
        secure: Whether browsers send the cookies over HTTPS only.
        max_age: Seconds that a browser keeps a cookie; as long as ``TokenPolicy.max_age`` believes its token.
        answer_errors: Answer errors of the database, as `answer_error` does; switch it off if the application has its own pages.
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
        context = open_contexts.enter_context(self._opened(texts))
        environment[_CONTEXT] = context

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            # A server may judge the headers by this very list.
            headers.extend(self._carried(context, cookies, by_header=bool(sent)))
            return start_response(status, headers, exc_info)

        try:
            body = self._app(environment, cast("StartResponse", start))
        except BaseException:
            open_contexts.close()
            raise
        return ClosingIterator(_Stream(body, context), [open_contexts.close])

    @contextmanager
    def _opened(self, texts: list[str]) -> Iterator[CausalContext]:
        """One context that holds what all tokens stand for."""
        # Each context begins with what the outer one carries.
        texts = texts[:MAX_TOKENS] + [_TOO_MANY] * (len(texts) > MAX_TOKENS)
        with ExitStack() as stack:
            for text in texts[:-1]:
                stack.enter_context(self._cluster.causal(text))
            yield stack.enter_context(self._cluster.causal(texts[-1] if texts else None))

    def _carried(self, context: CausalContext, cookies: "_Cookies", *, by_header: bool) -> Iterator[tuple[str, str]]:
        stale = [served.staleness_seconds for served in context.served if served.role == "replica"]
        if stale:
            shown = "unknown" if None in stale else f"{max(each or 0.0 for each in stale):.3f}"
            yield "X-Staleness-Seconds", shown
        # A loss that was reported, and cookies that are too many, are dealt with even if no server was read.
        if not (context.served or context.given_up or cookies.too_large):
            return
        token = context.token or ""
        if by_header or (token and not cookies.tokens):
            yield self._header, token
        if by_header and not cookies.tokens:
            return
        if context.differs or len(cookies.tokens) > 1 or cookies.too_large:
            yield from self._replaced(context, cookies)
        elif not token:
            yield from self._removed(cookies.tokens, cookies.path)

    def _replaced(self, context: CausalContext, cookies: "_Cookies") -> Iterator[tuple[str, str]]:
        """Set one cookie for all that the browser must see, and take away those that it replaces."""
        with self._recent.of(cookies.browser) as recent:
            for name, text in recent.items():
                if name not in cookies.tokens:
                    # What a block carries stays with the context around it.
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
        yield from self._removed(replaced, cookies.path)

    def _removed(self, names: Iterable[str], path: str) -> Iterator[tuple[str, str]]:
        for name in list(dict.fromkeys(names))[:MAX_COOKIES_REMOVED]:
            yield "Set-Cookie", self._cookie(name, "", 0, path)

    def _cookie(self, name: str, value: str, max_age: int, path: str) -> str:
        return dump_cookie(name, value, max_age=max_age, path=path, secure=self._secure, httponly=True, samesite="Lax")


def from_source(view: Callable[P, R]) -> Callable[P, R]:
    """Let every reader of this view read from the source."""

    @wraps(view)
    def on_source(*args: P.args, **kwargs: P.kwargs) -> R:
        current_context().from_source = True
        return view(*args, **kwargs)

    return on_source


def allow_stale(seconds: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let every reader of this view take a replica that may be so many seconds behind, its own changes excepted.

    While there is no source, it takes an older state than the request's token asks for.
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
    """The causal context of this request.

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
    """Answer an error of the database in plain text.

    503 with ``Retry-After`` always means that nothing was changed, so that a client or a balancer may send the request again. After
    an earlier write of the same request it is 500. An unknown commit is 504: whoever sends it again does so knowingly. A lost write
    is 409: it was another request's.
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
    """What a request has brought: our tokens by the name of their cookie, a mark of the browser, and the path of the cookies.

    The path is the prefix of the application, so that several on one host do not get the tokens of one another.
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
    """Tokens that this process has sent in the last minute, so that parallel answers to one browser leave one cookie and not many.

    An answer takes over what the ones before it have set, and so may take their cookies away, in whatever order they arrive. A
    browser is known by its other cookies, such as that of its login; without any, nothing is remembered. Two browsers that
    are taken for one wait for one another's changes, and nothing else.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: OrderedDict[bytes, tuple[float, dict[str, str]]] = OrderedDict()

    @contextmanager
    def of(self, browser: bytes) -> Iterator[dict[str, str]]:
        """Return the cookies of this browser, by name, to be changed within the block."""
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
    """The body of an answer, whose headers are sent: its context takes no more writes while a part of it is made."""

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
