"""Allowed hosts, proxies, security and cache headers, the session cookie, and CSRF."""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf import CSRFProtect
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from inventory_web.errors import HostNotAllowed
from inventory_web.http.preferences import cookie_name, cookie_path
from inventory_web.http.request import MAX_ANONYMOUS_BODY_BYTES, HttpRequest
from inventory_web.settings import Settings

_CAMERA = "inventory_camera"
_CACHEABLE = "inventory_cacheable"
_PREFIX = "HTTP_X_FORWARDED_PREFIX"
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)+")

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])


def uses_camera(view: View) -> View:
    """Mark a view whose page uses the camera; no other page may use it."""
    setattr(view, _CAMERA, True)
    return view


def cacheable(view: View) -> View:
    """Mark a view whose response is the same for all users: its ``Cache-Control`` is kept instead of ``no-store``."""
    setattr(view, _CACHEABLE, True)
    return view


class SessionCookies(SecureCookieSessionInterface):
    """Renews the session cookie with each response except static files, which shared caches may store."""

    def get_cookie_name(self, app: Flask) -> str:
        """Return a cookie name that no application under another prefix of this host uses."""
        return cookie_name(super().get_cookie_name(app))

    def get_cookie_path(self, app: Flask) -> str:
        """Return the prefix of the application."""
        del app
        return cookie_path()

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Return whether this response sets the cookie."""
        return request.endpoint != "assets.serve" and super().should_set_cookie(app, session)


class TrustedProxies(ProxyFix):
    """Trusts the headers of the proxies in front, except a prefix that is not a plain path."""

    def __call__(self, environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request; see PEP 3333."""
        prefixes = [each.strip().rstrip("/") for each in str(environment.pop(_PREFIX, "")).split(",")]
        if all(_PLAIN_PATH.fullmatch(each) for each in prefixes):
            environment[_PREFIX] = ",".join(prefixes)
        return super().__call__(environment, start_response)


def configure(app: Flask, settings: Settings, secret_keys: Sequence[str]) -> None:
    """Configure cookies and limits; the first key signs, all keys are accepted."""
    app.session_interface = SessionCookies()
    app.request_class = HttpRequest
    app.config.update(
        SECRET_KEY=secret_keys[0],
        SECRET_KEY_FALLBACKS=list(secret_keys[1:]),
        # Flask-WTF signs with the last key.
        WTF_CSRF_SECRET_KEY=list(reversed(secret_keys)),
        SESSION_COOKIE_NAME="inventory_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_max_hours),
        # The access check raises the limit once the account is known.
        MAX_CONTENT_LENGTH=MAX_ANONYMOUS_BODY_BYTES,
        # A token is valid as long as its login.
        WTF_CSRF_TIME_LIMIT=None,
    )


def check_host(app: Flask, settings: Settings) -> None:
    """Refuse requests for host names that the settings do not list: the name is used in links and in the QR codes of labels.

    Health and metrics are exempt: programs request them under machine names, and they contain no links.
    """
    if not settings.hosts and not settings.production:
        return

    def check() -> None:
        if request.blueprint != "status" and not _is_allowed(request.host, settings.hosts):
            raise HostNotAllowed(request.host)

    app.before_request(check)


def _is_allowed(host: str, names: Collection[str]) -> bool:
    """Return whether ``host`` is listed or loopback. Without a list, any IP address is allowed: DNS rebinding needs a name."""
    if names and host_is_trusted(host.lower(), names):
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
        address = ipaddress.ip_address(name)
    except ValueError:
        return host.partition(":")[0] == "localhost"
    return address.is_loopback or not names


def signing_keys() -> list[str]:
    """Return the keys of this application; the first one signs."""
    return [str(current_app.secret_key), *(current_app.config["SECRET_KEY_FALLBACKS"] or ())]


def protect(app: Flask, settings: Settings) -> None:
    """Require CSRF tokens, add the security headers to every response, and trust the configured number of proxies."""
    CSRFProtect(app)
    headers = _headers(settings)

    def add(response: Response) -> Response:
        headers.set_headers(response)
        view = app.view_functions.get(request.endpoint or "")
        if getattr(view, _CAMERA, False):
            policy = response.headers["Permissions-Policy"]
            response.headers["Permissions-Policy"] = policy.replace("camera=()", "camera=(self)")
        # Pages and files contain stock and names, which must not stay in a cache after the logout.
        if not getattr(view, _CACHEABLE, False) or "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Served-By"] = settings.instance
        return response

    app.after_request(add)
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = TrustedProxies(  # type: ignore[assignment, method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_prefix=count
        )


def _headers(settings: Settings) -> Secure:
    policy = ContentSecurityPolicy().default_src("'none'").base_uri("'none'").frame_ancestors("'none'")
    policy.script_src("'self'").style_src("'self'").font_src("'self'").connect_src("'self'").form_action("'self'")
    policy.img_src("'self'", "data:")
    return Secure(
        csp=policy,
        hsts=StrictTransportSecurity().max_age(31536000) if settings.secure_cookies else None,
        xfo=XFrameOptions().deny(),
        xcto=XContentTypeOptions().nosniff(),
        referrer=ReferrerPolicy().same_origin(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().geolocation("()").microphone("()").camera("()"),
    )
