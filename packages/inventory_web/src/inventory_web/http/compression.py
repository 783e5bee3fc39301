"""Gzip compression of pages and static files."""

import gzip

from flask import Flask, Request, Response, request

MIN_BYTES = 1024
"""Bytes; anything smaller fits into one or two packets anyway."""
LEVEL = 5
TEXTS = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"})
OWN_PAGES = frozenset({"same-origin", "none"})


def init_app(app: Flask) -> None:
    """Compress whole pages if the browser accepts gzip and the request is safe to compress; streams and files are left alone."""

    def compress(response: Response) -> Response:
        if response.mimetype in TEXTS and not response.is_streamed and not response.direct_passthrough:
            response.vary.add("Accept-Encoding")
            if is_same_origin(request):
                as_gzip(response, request)
        return response

    app.after_request(compress)


def is_same_origin(client_request: Request) -> bool:
    """Return whether no other site can have caused this request.

    A page contains both secrets and input of the visitor. An attacker who can request it repeatedly and observe the compressed
    sizes can derive the secrets (BREACH, 2013). ``Sec-Fetch-Site`` reports where a request comes from. Browsers omit it over plain
    HTTP, where an observer can read the page anyway.
    """
    origin = client_request.headers.get("Sec-Fetch-Site")
    return origin in OWN_PAGES if origin is not None else not client_request.is_secure


def as_gzip(response: Response, client_request: Request) -> None:
    """Compress the body if the client accepts gzip and it is large enough; leave a compressed body alone."""
    if client_request.accept_encodings["gzip"] <= 0 or "Content-Encoding" in response.headers:
        return
    body = response.get_data()
    if len(body) >= MIN_BYTES:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
