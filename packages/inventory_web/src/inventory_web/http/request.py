"""The request class of the application: bounded, well-formed bodies, and HEAD as GET."""

from socket import socket
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import BadRequest, RequestTimeout
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream

MAX_BODY_BYTES = 65 * 1024 * 1024
"""The largest file that the core imports, and what a form wraps around it. Allowed after a login only."""
MAX_ANONYMOUS_BODY_BYTES = 64 * 1024
"""Without a login. Below the size at which Werkzeug moves an uploaded file from memory to the disk."""

BODY_TIMEOUT_SECONDS = 30
"""How long a client may send nothing in the middle of a body, while a thread of the server waits for it."""

ParsedForm = tuple[IO[bytes], Any, Any]


class FormParser(FormDataParser):
    """Refuses a malformed form with 400; Werkzeug would take it for an empty one, or for one with nameless fields."""

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
    """The body as the server reads it from the client: whatever goes wrong there is a fault of the client.

    ``connection`` is the socket of the client if the server tells it.
    """

    def __init__(self, stream: IO[bytes], connection: socket | None = None) -> None:
        self._stream = stream
        self._connection = connection

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes.

        Raises ``BadRequest`` if the client sent invalid chunks or broke off, ``RequestTimeout`` if nothing came for a while.
        """
        if self._connection is None:
            return self._read(size)
        before = self._connection.gettimeout()
        self._connection.settimeout(BODY_TIMEOUT_SECONDS)
        try:
            return self._read(size)
        finally:
            # The answer may take as long as its reader needs.
            self._connection.settimeout(before)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except TimeoutError as error:
            raise RequestTimeout from error
        except Exception as error:
            # Servers have exceptions of their own for invalid chunks, some of which are no ``OSError``.
            raise BadRequest(f"unreadable body: {error}") from error


class HttpRequest(Request):
    """A request as every view sees it.

    HEAD arrives as GET: the server leaves out the body of the answer, so no view can mistake it for a change.
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
            # The file of an upload that filled the disk must not fill it any longer.
            self.close()
            # The page that reports the error reads an empty form instead of failing in the same way.
            self.__dict__["form"] = self.__dict__["files"] = self.parameter_storage_class()
            raise

    def close(self) -> None:
        """Close every uploaded file, also those of a form that was not read to its end."""
        for upload in self._uploads:
            upload.close()
        super().close()
