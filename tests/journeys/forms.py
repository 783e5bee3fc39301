"""The forms of a page, read as a browser does: what they would send without any input."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

WITHOUT_VALUE = frozenset({"submit", "button", "reset", "image", "file"})
CHOSEN_ONLY = frozenset({"radio", "checkbox"})


@dataclass
class Form:
    """Where a form goes (empty: to the address of its page) and what it sends."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


def forms_of(page: str) -> list[Form]:
    """Every form of a page that sends by POST, in their order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.forms


def form_with(page: str, name: str, action: str = "") -> Form:
    """The first form of a page that goes there and has a field of this name."""
    forms = forms_of(page)
    found = [form for form in forms if form.action == action and name in form.fields]
    assert found, f"the page has no form to {action or 'itself'!r} with a field {name!r}: {forms}"
    return found[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""
        self._text: list[str] | None = None
        self._option: tuple[str | None, bool] | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form" if given.get("method", "").lower() == "post":
                self._form = Form(given.get("action", ""))
                self.forms.append(self._form)
            case "input":
                self._input(given)
            case "select":
                self._select = given.get("name", "")
            case "option" if self._select:
                self._end_of_option()
                self._option, self._text = (given.get("value"), "selected" in given), []
            case "textarea":
                self._select, self._text = given.get("name", ""), []

    @override
    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    @override
    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "option":
                self._end_of_option()
            case "select":
                self._end_of_option()
                self._select = ""
            case "textarea":
                self._keep(self._select, "".join(self._text or []).removeprefix("\n"))
                self._select, self._text = "", None

    def _input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text").lower()
        if kind in WITHOUT_VALUE or (kind in CHOSEN_ONLY and "checked" not in given):
            return
        self._keep(given.get("name", ""), given.get("value", ""))

    def _end_of_option(self) -> None:
        if self._option is not None:
            value, selected = self._option
            text = "".join(self._text or []).strip() if value is None else value
            if self._form is not None and (selected or self._select not in self._form.fields):
                self._keep(self._select, text)
        self._option = self._text = None

    def _keep(self, name: str, value: str) -> None:
        if self._form is not None and name:
            self._form.fields[name] = value
