"""Forms that cannot be processed now: their session has ended, or nothing can be saved.

After the end of a session the input is kept through the login and can be sent again. Passwords, codes and files are never kept.
Only forms of our own pages are kept, and nothing is submitted before the user has seen the form again, so a form on another
site cannot be submitted through the login.
"""

import json
import re
from dataclasses import dataclass

from flask import Flask, Response, g, make_response, render_template, request, url_for
from flask_babel import gettext
from itsdangerous import BadData, URLSafeTimedSerializer
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from inventory_web.http.security import signing_keys
from inventory_web.http.urls import current_url, form_url, host_of
from inventory_web.i18n import labels

FIELD = "kept"
MAX_FORM_BYTES = 256 * 1024
"""Maximum number of characters; a longer form is not kept."""
MAX_PACKED_CHARACTERS = 56 * 1024
"""Maximum size inside the login form: together with name and password it must fit into an anonymous request."""
MAX_AGE_SECONDS = 24 * 3600
NEVER_CARRIED = frozenset({"csrf_token", FIELD, "second_code"})
NOT_TYPED = frozenset({"operation", "next", "answer", "expected", "version"})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The URL that the form was sent to, the page that contained it, and its fields in order.

    ``complete`` is False if a password or file was left out: the user must then fill in the form again.
    """

    action: str
    page: str
    fields: tuple[tuple[str, str], ...]
    complete: bool

    @property
    def typed(self) -> tuple[tuple[str, str], ...]:
        """Return label and value of each field that the user filled in."""
        filled = [(name, value) for name, value in self.fields if value.strip() and name not in NOT_TYPED]
        labelled = [(labels.field_label(name), value) for name, value in filled if labels.field_label(name) != name]
        return tuple(labelled if labelled and self.complete else [(labels.field_label(n), v) for n, v in filled])


def typed_form() -> KeptForm | None:
    """Return the form of this request if one of our pages sent it and a field is filled in."""
    if request.method != "POST" or not from_our_page():
        return None
    sent = [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_CARRIED]
    if "operation" not in request.form and g.get("operation"):
        # The resubmission is the same operation, so it runs at most once.
        sent.append(("operation", g.operation))
    fields = tuple((name, value) for name, value in sent if not _is_password(name))
    complete = len(fields) == len(sent) and not any(file.filename for file in request.files.values())
    form = KeptForm(current_url(), form_url(url_for("home")), fields, complete)
    return form if form.typed and len(_packed(form)) <= MAX_FORM_BYTES else None


def pack(form: KeptForm, *, user_id: int) -> str:
    """Return the form as a signed value for a hidden field of the login, valid for this user."""
    return _serializer().dumps([user_id, _packed(form)])


def unpack(text: str, *, user_id: int) -> KeptForm | None:
    """Return the form that ``pack`` signed for this user; None if it is invalid, expired or another user's."""
    try:
        match _serializer().loads(text, max_age=MAX_AGE_SECONDS) if text else None:
            case [owner, str(packed)] if owner == user_id:
                return read(packed)
    except BadData:
        return None
    return None


def write(form: KeptForm) -> str:
    """Serialize the form."""
    return _packed(form)


def read(text: str) -> KeptForm:
    """Parse the output of ``write``."""
    action, page, complete, fields = json.loads(text)
    return KeptForm(action, page, tuple((name, value) for name, value in fields), complete)


def page(form: KeptForm, status: int, refused: str = "") -> Response:
    """Return the page that shows the input and offers to send it again.

    ``refused`` says why the form was refused; if it is empty, the session had ended.
    """
    return make_response(render_template("kept_form.html", form=form, home=url_for("home"), refused=refused), status)


def from_our_page() -> bool:
    """Return whether the form was on a page of this site, according to headers that scripts cannot change."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "same-origin"
    return host_of(request.headers.get("Origin") or request.referrer or "") == request.host


def _packed(form: KeptForm) -> str:
    return json.dumps([form.action, form.page, form.complete, form.fields], ensure_ascii=False)


def _is_password(name: str) -> bool:
    return name.endswith("password")


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys()[::-1], salt="inventory.kept_form")


NOTICE = "read-only"
"""The id of the notice with the reason; the buttons refer to it."""
_FORM = re.compile(r"<form\b(?P<attributes>[^>]*)>(?P<inside>.*?)</form>", re.DOTALL)
_SAVES = re.compile(r"""\bmethod=["']?post\b(?!.*\bdata-(?:saves-nothing|tells-itself)\b)""", re.DOTALL)
_BUTTON = re.compile(r"""<button\b(?![^>]*\btype=["']?(?:button|reset)\b)(?P<rest>[^>]*>)""")
_IN_A_LINE = re.compile(r"""\bclass=["']?(?:qty|undo)\b""")
"""Single-line forms in tables are too small for a sentence."""


def init_app(app: Flask) -> None:
    """Add the template filter ``waiting_forms``, which changes nothing while the database is available."""
    app.jinja_env.filters["waiting_forms"] = waiting_forms


@pass_context
def waiting_forms(context: Context, html: str) -> str:
    """Add the reason to the buttons of all saving forms in ``html`` if there is a ``database_notice``.

    The buttons stay enabled, because a page without scripts cannot learn that saving works again. A form that is sent too early
    comes back with its input and says when to try again.
    """
    if not context.get("database_notice"):
        return html
    why = gettext("Espere: ahora no se puede guardar. Lo que escriba no se pierde.")
    sentence = f'<p class="form-waits without-script">{escape(why)}</p>'
    return Markup(_FORM.sub(lambda form: _held(form, sentence), html))  # noqa: S704 - the page itself, and an escaped sentence


def _held(form: re.Match[str], sentence: str) -> str:
    attributes = form["attributes"]
    if not _SAVES.search(attributes):
        return form[0]
    inside = _BUTTON.sub(rf'<button aria-disabled="true" aria-describedby="{NOTICE}"\g<rest>', form["inside"])
    return f"<form{attributes}>{inside}{'' if _IN_A_LINE.search(attributes) else sentence}</form>"
