"""Pages and files of the browser go over the wire as gzip."""

import gzip

from flask import Flask, Request, Response, request

MIN_BYTES = 1024
"""Bytes: what is smaller fits into a packet or two as it is."""
LEVEL = 5
TEXTS = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"})
OWN_PAGES = frozenset({"same-origin", "none"})


def init_app(app: Flask) -> None:
    """Compress every whole page that its browser may have compressed; streams and files pass as they are."""

    def compress(response: Response) -> Response:
        if response.mimetype in TEXTS and not response.is_streamed and not response.direct_passthrough:
            response.vary.add("Accept-Encoding")
            if is_same_origin(request):
                as_gzip(response, request)
        return response

    app.after_request(compress)


def is_same_origin(asked: Request) -> bool:
    """Whether no other site can have made the browser ask.

    Secrets and what a visitor chose stand in one page, and the length of their compressed text tells of the secrets to
    somebody who can have the page asked for again and again and who sees how long the answers are (BREACH, 2013). The
    browser tells where a request comes from, in ``Sec-Fetch-Site``, wherever lengths are all that an onlooker sees: over
    plain HTTP, where it is silent, there is nothing left to guess.
    """
    origin = asked.headers.get("Sec-Fetch-Site")
    return origin in OWN_PAGES if origin is not None else not asked.is_secure


def as_gzip(response: Response, asked: Request) -> None:
    """Compress the body if the browser takes it and it is worth it; a compressed one is left alone."""
    if asked.accept_encodings["gzip"] <= 0 or "Content-Encoding" in response.headers:
        return
    body = response.get_data()
    if len(body) >= MIN_BYTES:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
