"""A checker of HTML that is stricter than a browser: everything is closed, quoted, and named once."""

import re
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
HEADINGS = frozenset({"h1", "h2", "h3", "header"})
TEXTS = frozenset({"dl", "hr", "ol", "p", "pre", "table", "ul"})
BLOCKS = HEADINGS | TEXTS | {"article", "aside", "div", "fieldset", "footer", "form", "main", "nav", "section"}
NOT_INSIDE = {
    "form": {"form"},
    "a": {"a", "button", "label"},
    "button": {"a", "button", "label"},
    "tr": {"tr"},
    "td": {"td"},
    "li": {"li"},
    "label": {"label"},
}
"""What an element must not be in, up to the next table or list of its own."""
PARENTS = {
    "tr": {"thead", "tbody", "tfoot", "template"},
    "td": {"tr"},
    "th": {"tr"},
    "thead": {"table"},
    "tbody": {"table"},
    "caption": {"table"},
    "li": {"ul", "ol"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "option": {"select", "optgroup"},
    "legend": {"fieldset"},
    "summary": {"details"},
}
BOUNDARIES = frozenset({"table", "ul", "ol", "svg"})
ATTRIBUTE = re.compile(r"""\s+[^\s"'<>/=]+(="[^"]*"|='[^']*')?""", re.DOTALL)
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "form")


class _Checker(HTMLParser):
    def __init__(self, *, fragment: bool) -> None:
        super().__init__(convert_charrefs=False)
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self._open: list[str] = ["template"] if fragment else []
        self._fragment = fragment

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check_attributes(tag, attrs)
        self._check_place(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "svg" not in self._open:
            self._fault(f"<{tag}/> closes itself")
        self._check_attributes(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self._fault(f"</{tag}> closes {self._open[-1:]}")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] and self._open[-1] in ("table", "tbody", "thead", "tr", "ul", "ol", "dl") and data.strip():
            self._fault(f"text in <{self._open[-1]}>: {data.strip()[:40]}")
        if self._open[-1:] not in (["script"], ["style"]) and re.search(r"<[a-z/!]", data, re.IGNORECASE):
            self._fault(f"a tag that is not finished: {data.strip()[:40]}")

    def close(self) -> None:
        super().close()
        if self._open != ["template"] * self._fragment:
            self._fault(f"not closed: {self._open}")

    def _check_attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = self.get_starttag_text() or ""
        inside = source[1 + len(tag) :].removesuffix(">").removesuffix("/").rstrip()
        if ATTRIBUTE.sub("", inside):
            self._fault(f"an attribute without quotes: {source[:200]}")
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self._fault(f"an attribute twice: {source[:200]}")
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        for name in REFERENCES:
            self.references += (given.get(name) or "").split()
        visible = tag in ("input", "select", "textarea") and given.get("type") != "hidden"
        if (
            visible
            and not given.get("id")
            and given.get("type") not in ("radio", "checkbox")
            and "label" not in self._open
        ):
            self._fault(f"a field without an id: {source[:200]}")

    def _check_place(self, tag: str) -> None:
        parent = self._open[-1] if self._open else ""
        if tag in PARENTS and parent not in PARENTS[tag]:
            self._fault(f"<{tag}> in <{parent}>")
        if tag in BLOCKS and {"p", "span", "button"} & set(self._open) and "svg" not in self._open:
            self._fault(f"<{tag}> in {self._open[-4:]}")
        for element in reversed(self._open):
            if element in BOUNDARIES:
                break
            if element in NOT_INSIDE.get(tag, ()):
                self._fault(f"<{tag}> in <{element}>")

    def _fault(self, text: str) -> None:
        self.faults.append(f"line {self.getpos()[0]}: {text}")


def html_faults(page: str, *, fragment: bool = False) -> list[str]:
    """Return what is wrong with a page, or with a ``fragment`` of one, which may refer to ids outside of it."""
    checker = _Checker(fragment=fragment)
    checker.feed(page)
    checker.close()
    twice = sorted({name for name in checker.ids if checker.ids.count(name) > 1})
    unknown = [] if fragment else sorted(set(checker.references) - set(checker.ids))
    return [*checker.faults, *(f"an id twice: {name}" for name in twice), *(f"no such id: {name}" for name in unknown)]
