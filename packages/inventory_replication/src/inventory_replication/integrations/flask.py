"""Causal tokens in the requests and answers of a Flask application: no sticky sessions, and no store that its instances share.

A browser carries its token in cookies, an API client in a header. Two answers to one browser may cross, so no answer may
replace what it has not seen: each cookie has a name of its own and stands for one token for good, and an answer takes away
only cookies that its request has brought.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, TypeVar, cast

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import dump_cookie, parse_cookie
from werkzeug.wsgi import ClosingIterator

from inventory_replication.context import CausalContext
from inventory_replication.errors import (
    CausalTimeout,
    CommitUnknown,
    DatabaseBusy,
    NoEligibleReplica,
    ReplicationError,
    ServerLost,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

P = ParamSpec("P")
R = TypeVar("R")

MOST_TOKENS: Final = 12
"""So many tokens are read of one request; with more, its readers are sent to the source."""
RETRY_AFTER: Final = "2"
"""Seconds after which a client that met an unavailable database may try again: the monitor asks several times in them."""
_CONTEXT: Final = "inventory_replication.causal"
_TOO_MANY: Final = "too.many.tokens"
_TEMPORARY = (SourceUnavailable, NoEligibleReplica, CausalTimeout, CommitUnknown, DatabaseBusy, ServerLost)


class CausalSource(Protocol):
    """A `ReplicatedCluster` or a `SingleServer`."""

    def causal(self, token_text: str | None = None) -> AbstractContextManager[CausalContext]:
        """See `ReplicatedCluster.causal`."""
        ...


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
        answer_errors: Answer 503 with ``Retry-After`` where the database cannot serve for now; switch it off where the
            application has pages of its own for that.
    """

    def __init__(
        self,
        app: Flask,
        cluster: CausalSource,
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
        self._app: WSGIApplication = app.wsgi_app
        app.wsgi_app = self  # type: ignore[assignment, method-assign]
        if answer_errors:
            for kind in _TEMPORARY:
                app.register_error_handler(kind, _answer)

    def __call__(self, environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request; see PEP 3333."""
        cookies = self._cookies(environment)
        sent = _tokens(str(environment.get(self._variable, "")))
        open_contexts = ExitStack()
        context = open_contexts.enter_context(self._opened([*cookies.values(), *sent]))
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
        return ClosingIterator(body, [open_contexts.close])

    @contextmanager
    def _opened(self, texts: list[str]) -> Iterator[CausalContext]:
        """One context that holds what all tokens stand for."""
        # Each context begins with what the outer one carries.
        texts = texts[:MOST_TOKENS] + [_TOO_MANY] * (len(texts) > MOST_TOKENS)
        with ExitStack() as stack:
            for text in texts[:-1]:
                stack.enter_context(self._cluster.causal(text))
            yield stack.enter_context(self._cluster.causal(texts[-1] if texts else None))

    def _cookies(self, environment: "WSGIEnvironment") -> dict[str, str]:
        """Name and token of each cookie of ours."""
        cookies = parse_cookie(environment)
        return {name: value for name, value in cookies.items() if name.startswith(self._prefix) and value}

    def _carried(
        self, context: CausalContext, cookies: dict[str, str], *, by_header: bool
    ) -> Iterator[tuple[str, str]]:
        if not context.served and not cookies:
            return
        stale = [served.staleness_seconds for served in context.served if served.role == "replica"]
        if stale:
            shown = "unknown" if None in stale else f"{max(each or 0.0 for each in stale):.3f}"
            yield "X-Staleness-Seconds", shown
        if not context.served:
            return
        token = context.token or ""
        if by_header or (token and not cookies):
            yield self._header, token
        if by_header and not cookies:
            return
        if token in cookies.values() and len(cookies) == 1:
            return
        if token:
            yield "Set-Cookie", self._cookie(self._prefix + secrets.token_hex(4), token, self._max_age)
        for name in cookies:
            yield "Set-Cookie", self._cookie(name, "", 0)

    def _cookie(self, name: str, value: str, max_age: int) -> str:
        return dump_cookie(name, value, max_age=max_age, secure=self._secure, httponly=True, samesite="Lax")


def uses_source(view: Callable[P, R]) -> Callable[P, R]:
    """Let every reader of this view read from the source."""

    @wraps(view)
    def on_source(*args: P.args, **kwargs: P.kwargs) -> R:
        current_context().reads_source = True
        return view(*args, **kwargs)

    return on_source


def allows_stale(seconds: float) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let every reader of this view take a replica that may be so many seconds behind, its own changes excepted.

    While there is no source, it takes an older state than the request's token asks for.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def on_any(*args: P.args, **kwargs: P.kwargs) -> R:
            context = current_context()
            context.staleness_bound = seconds
            context.serves_stale = True
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


def _answer(error: ReplicationError) -> Response:
    return Response(f"{error}\n", 503, Headers({"Retry-After": RETRY_AFTER}), mimetype="text/plain")
