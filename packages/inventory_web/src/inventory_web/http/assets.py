"""Static files for the browser, our own and those of ``inventory_web_assets``, under URLs that contain a hash of the content."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, send_from_directory, url_for

from inventory_web.http.compression import TEXTS
from inventory_web.http.security import cacheable
from inventory_web.roles import public

YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Asset:
    """A file and the first characters of its SHA-256."""

    folder: Path
    digest: str


def find_assets() -> dict[str, Asset]:
    """Return every file by its name; ours take precedence over the vendored ones."""
    found: dict[str, Asset] = {}
    for package, part in (("inventory_web_assets", "static"), ("inventory_web", "static")):
        folder = Path(str(resources.files(package))) / part
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
                found[path.relative_to(folder).as_posix()] = Asset(folder, digest)
    return found


def init_app(app: Flask) -> None:
    """Serve the files and add ``asset(name)`` to the templates."""
    assets = find_assets()
    blueprint = Blueprint("assets", __name__, url_prefix="/assets")

    @public
    @cacheable
    def serve(digest: str, name: str) -> Response:
        asset = assets.get(name)
        if asset is None:
            abort(404)
        kind = mimetypes.guess_type(name)[0] or ""
        if kind in TEXTS and request.accept_encodings["gzip"] > 0:
            response = _compressed(asset, name, kind)
        else:
            response = send_from_directory(asset.folder, name, etag=asset.digest, max_age=YEAR_SECONDS)
        response.vary.add("Accept-Encoding")
        if digest == asset.digest:
            response.cache_control.immutable = True
            response.cache_control.public = True
        else:
            # The page comes from an instance with another version: serve the file, but do not cache it.
            response.headers["Cache-Control"] = "no-cache"
        return response

    def asset_address(name: str) -> str:
        return url_for("assets.serve", digest=assets[name].digest, name=name)

    blueprint.add_url_rule("/<digest>/<path:name>", view_func=serve)
    app.register_blueprint(blueprint)
    app.add_template_global(asset_address, "asset")


def _compressed(asset: Asset, name: str, kind: str) -> Response:
    response = Response(_packed(asset, name), mimetype=kind)
    response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{asset.digest}-gzip")
    response.cache_control.max_age = YEAR_SECONDS
    response.make_conditional(request)
    return response


@cache
def _packed(asset: Asset, name: str) -> bytes:
    """Return the file as gzip, compressed on first request; all of them together take a few hundred KB."""
    return gzip.compress((asset.folder / name).read_bytes(), mtime=0)
