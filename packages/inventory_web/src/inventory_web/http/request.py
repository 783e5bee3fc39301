"""The request class of the application: limited, well-formed bodies, and HEAD handled as GET."""

from socket import socket
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import BadRequest, RequestTimeout
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream

MAX_BODY_BYTES = 65 * 1024 * 1024
"""Bytes: the largest file that the core imports plus the form around it. Only after a login."""
MAX_ANONYMOUS_BODY_BYTES = 64 * 1024
"""Bytes without a login. Below the size at which Werkzeug moves an uploaded file from memory to the disk."""

BODY_TIMEOUT_SECONDS = 30
"""Seconds that a client may send nothing in the middle of a body, because a thread of the server waits for it."""

ParsedForm = tuple[IO[bytes], Any, Any]


class FormParser(FormDataParser):
    """Refuses a malformed form with 400; Werkzeug would treat it as empty, or as one with nameless fields."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> ParsedForm:
        """Parse the body. Raises ``BadRequest`` or ``RequestEntityTooLarge``."""
        self.silent = False
        try:
            parsed = super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise BadRequest(f"malformed form: {error}") from error
        _, form, files = parsed
        if None in form or None in files:
            raise BadRequest("malformed form: a part has no name")
        return parsed


class RequestBody:
    """The request body. Errors while reading it are errors of the client.

    ``connection`` is the client's socket if the server exposes it.
    """

    def __init__(self, stream: IO[bytes], connection: socket | None = None) -> None:
        self._stream = stream
        self._connection = connection

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes.

        Raises ``BadRequest`` for invalid chunks or a lost client, ``RequestTimeout`` if the client sends nothing for too long.
        """
        if self._connection is None:
            return self._read(size)
        before = self._connection.gettimeout()
        self._connection.settimeout(BODY_TIMEOUT_SECONDS)
        try:
            return self._read(size)
        finally:
            # The response may take as long as the client needs.
            self._connection.settimeout(before)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except TimeoutError as error:
            raise RequestTimeout from error
        except Exception as error:
            # Servers raise their own exceptions for invalid chunks, not always an ``OSError``.
            raise BadRequest(f"unreadable body: {error}") from error


class HttpRequest(Request):
    """A request as views see it.

    HEAD is handled as GET and the server omits the body, so no view can mistake it for a change.
    """

    form_data_parser_class = FormParser

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._uploads: list[IO[bytes]] = []
        if self.method == "HEAD":
            self.method = "GET"

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, limited to ``max_content_length``. Reading raises ``BadRequest`` or ``RequestEntityTooLarge``."""
        read_safely = {
            **self.environ,
            "wsgi.input": RequestBody(self.environ["wsgi.input"], self.environ.get("gunicorn.socket")),
        }
        return get_input_stream(read_safely, max_content_length=self.max_content_length)

    def _get_file_stream(self, *arguments: Any, **named: Any) -> IO[bytes]:
        self._uploads.append(super()._get_file_stream(*arguments, **named))
        return self._uploads[-1]

    def _load_form_data(self) -> None:
        try:
            super()._load_form_data()
        except Exception:
            # Close the upload that filled the disk, so that it does not grow further.
            self.close()
            # The error page then reads an empty form instead of failing in the same way.
            self.__dict__["form"] = self.__dict__["files"] = self.parameter_storage_class()
            raise

    def close(self) -> None:
        """Close every uploaded file, also if the form was not parsed completely."""
        for upload in self._uploads:
            upload.close()
        super().close()
