"""A form whose session had ended when it was sent: what was typed is carried through the login and can be sent then.

Passwords, codes and files are never carried. Kept is only what was sent from a page of this site, and nothing is carried out
before the person has seen it again: a form of somebody else's page gets nowhere by way of a login.
"""

import json
from dataclasses import dataclass

from flask import Response, g, make_response, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer

from inventory_web.http.redirects import current_url, form_url, host_of
from inventory_web.http.security import signing_keys
from inventory_web.i18n import labels

FIELD = "kept"
MAX_FORM_BYTES = 256 * 1024
"""Characters that are carried; a longer form is not kept."""
MAX_PACKED_CHARACTERS = 56 * 1024
"""What the login carries: with the name and the password it must fit into the body of a client without a login."""
MAX_AGE_SECONDS = 24 * 3600
NEVER_CARRIED = frozenset({"csrf_token", FIELD, "second_code"})
NOT_TYPED = frozenset({"operation", "next", "answer", "expected", "version"})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """Where it was to go, the page that it stood on, and its fields in their order.

    ``complete`` is False if a password or a file was left out: then it can only be read, and filled in again.
    """

    action: str
    page: str
    fields: tuple[tuple[str, str], ...]
    complete: bool

    @property
    def typed(self) -> tuple[tuple[str, str], ...]:
        """Label and value of what a person filled in."""
        filled = [(name, value) for name, value in self.fields if value.strip() and name not in NOT_TYPED]
        labelled = [(labels.field_label(name), value) for name, value in filled if labels.field_label(name) != name]
        return tuple(labelled if labelled and self.complete else [(labels.field_label(n), v) for n, v in filled])


def typed_form() -> KeptForm | None:
    """The form of this request, if a page of this site sent it and a person filled in something."""
    if request.method != "POST" or not from_our_page():
        return None
    sent = [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_CARRIED]
    if "operation" not in request.form and g.get("operation"):
        # Sent again it is the same operation, which is carried out once.
        sent.append(("operation", g.operation))
    fields = tuple((name, value) for name, value in sent if not _is_password(name))
    complete = len(fields) == len(sent) and not any(file.filename for file in request.files.values())
    form = KeptForm(current_url(), form_url(url_for("home")), fields, complete)
    return form if form.typed and len(_packed(form)) <= MAX_FORM_BYTES else None


def pack(form: KeptForm, *, user_id: int) -> str:
    """Return the form of this user for a hidden field of the login, signed."""
    return _serializer().dumps([user_id, _packed(form)])


def unpack(text: str, *, user_id: int) -> KeptForm | None:
    """Return what ``pack`` made for this user; None for what it did not make, a day ago, or for somebody else."""
    try:
        match _serializer().loads(text, max_age=MAX_AGE_SECONDS) if text else None:
            case [owner, str(packed)] if owner == user_id:
                return read(packed)
    except BadData:
        return None
    return None


def write(form: KeptForm) -> str:
    """The form as a text to be stored."""
    return _packed(form)


def read(text: str) -> KeptForm:
    """What ``write`` made."""
    action, page, complete, fields = json.loads(text)
    return KeptForm(action, page, tuple((name, value) for name, value in fields), complete)


def page(form: KeptForm, status: int, refused: str = "") -> Response:
    """The page that shows what was typed and offers to send it now.

    ``refused`` says why it was not taken; without it, the session had ended.
    """
    return make_response(render_template("kept_form.html", form=form, home=url_for("home"), refused=refused), status)


def from_our_page() -> bool:
    """Whether the form of this request stood on a page of this site, by what the browser says: a page cannot change that."""
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
