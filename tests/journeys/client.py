"""A person at work over real HTTP, who writes down each change and looks at once whether it is there."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from tests.journeys.forms import Form, form_with, forms_of
from tests.journeys.logbook import Logbook, Outcome, Step, Write
from tests.stack.visitor import TOO_MANY, Answer, Visitor

PATIENCE = 150.0
"""Seconds for which a change is sent again; an import whose instance died may be taken up after 60."""
PAUSE = 0.5
LOST = (OSError, http.client.HTTPException)
OK, SEE_OTHER, BAD_GATEWAY, UNAVAILABLE, TIMED_OUT = 200, 303, 502, 503, 504


@dataclass
class Known:
    """What the person knows of a product, from what was acknowledged."""

    name: str
    quantity: int


@dataclass
class Client:
    """Somebody with a browser and an account.

    Args:
        name: Of the account; their products' codes begin with it.
        patient: Whether a page that is refused with 503 is asked for again; otherwise every page must come.
        turned_away: How often a change was refused for now, with 503.
        broken_off: How many pages ended in their middle, and were loaded again.
    """

    name: str
    password: str
    visitor: Visitor
    patient: bool = False
    turned_away: int = 0
    broken_off: int = 0
    logbook: Logbook = field(init=False)
    known: dict[str, Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.logbook = Logbook(self.name)

    def new_code(self) -> str:
        return f"{self.name}-{len(self.logbook.writes) + 1}".upper()

    def read(self, path: str) -> Answer:
        """A page, which must come."""
        until = time.monotonic() + PATIENCE
        while (answer := self.load(path)).status == UNAVAILABLE and self.patient:
            require_retry_after(answer)
            assert time.monotonic() < until, f"{self.name} waits for {path}: {answer.text}"
            time.sleep(PAUSE)
        assert answer.status == OK, f"{self.name}: {path} answers {answer.status}: {answer.text}"
        return answer

    def load(self, path: str) -> Answer:
        """A page; one of an instance that died while it was sending is loaded again."""
        try:
            return self.visitor.get(path)
        except http.client.IncompleteRead:
            self.broken_off += 1
            return self.visitor.get(path)

    def log_in(self) -> None:
        self.visitor.cookies.clear()
        form = form_with(self.visitor.get("/login").text, "password", "/login")
        form.fields |= {"username": self.name, "password": self.password}
        answer = self.until_taken(lambda: self.visitor.post("/login", **form.fields))
        assert answer.status == SEE_OTHER, f"{self.name} is not let in: {answer.status} {answer.text}"

    def until_taken(self, send: Callable[[], Answer]) -> Answer:
        """Send something that may be sent twice, until it is neither refused for now nor lost."""
        until = time.monotonic() + PATIENCE
        while True:
            answer = or_none(send)
            if answer is not None and outcome_of(answer) is not Outcome.UNKNOWN and answer.status != UNAVAILABLE:
                return answer
            assert time.monotonic() < until, f"{self.name} gives up: {answer}"
            time.sleep(PAUSE)

    def send(self, write: Write, path: str, form: Form) -> Answer | None:
        """Send a form once, and record the response; None if there was none."""
        write.attempts.append(Outcome.UNKNOWN)
        answer = or_none(lambda: self.visitor.post(path, **form.fields))
        if answer is not None:
            write.attempts[-1] = outcome_of(answer)
            self.turned_away += answer.status == UNAVAILABLE
        return answer

    def change(self, write: Write, path: str, form: Form) -> None:
        """Send a form until it is acknowledged, and then once more, as a second click does."""
        until = time.monotonic() + PATIENCE
        while not self.acknowledged(write, path, form):
            assert time.monotonic() < until, f"{self.name} gives up with {path}: {write}"
            time.sleep(PAUSE)
            self.look_around(write)
        self.acknowledged(write, path, form)

    def acknowledged(self, write: Write, path: str, form: Form) -> bool:
        """Send a form once that only lack of a server may refuse."""
        answer = self.send(write, path, form)
        if answer is not None and answer.status not in (SEE_OTHER, BAD_GATEWAY, UNAVAILABLE, TIMED_OUT):
            raise AssertionError(f"{self.name}: {path} answers {answer.status}: {answer.text}")
        return write.attempts[-1] is Outcome.ACKNOWLEDGED

    def look_around(self, write: Write) -> None:
        """What a person does while a change is not acknowledged: look at something else, which is as it was."""
        touched = {step.code for step in write.steps} | write.names.keys()
        code = next((code for code in reversed(self.known) if code not in touched), None)
        if code is not None:
            self.sees(code)

    def register(self, name: str, quantity: int, code: str = "") -> str:
        """Register a product, with a code of one's own, and see it; its code."""
        form = form_with(self.read("/products/new").text, "code")
        code = code or self.new_code()
        form.fields |= {"code": code, "name": name, "quantity": str(quantity)}
        steps = [Step(code, "receive", quantity)] if quantity else []
        write = self.logbook.about_to(form.fields["operation"], *steps, names={code: name})
        self.change(write, "/products/new", form)
        self.now_known(code, name, quantity)
        return code

    def now_known(self, code: str, name: str, quantity: int) -> None:
        self.known[code] = Known(name, quantity)
        self.sees(code)

    def sees(self, code: str) -> None:
        """The list and the product's page, from whichever instance, show what was acknowledged."""
        known = self.known[code]
        in_list = self.form_of_quantity(f"/inventory?search={quote(code)}", code)
        assert int(in_list.fields["expected"]) == known.quantity, f"the list shows {in_list.fields} for {known}"
        page = self.read(address(code)).text
        places = [form for form in forms_of(page) if form.action == address(code, "quantity")]
        assert sum(int(form.fields["expected"]) for form in places) == known.quantity, f"{code}: {places} for {known}"
        assert known.name in page, f"{code} is not called {known.name} yet"

    def form_of_quantity(self, path: str, code: str) -> Form:
        """The small form with which a row of the list, or a place of the product's page, changes a quantity."""
        return form_with(self.read(path).text, "quantity", address(code, "quantity"))


def address(code: str, *rest: str) -> str:
    """Return the URL of a product's page, or of a page below it."""
    return "/".join(["", "products", code, *rest])


def path_of(answer: Answer) -> str:
    """Where an answer sends the browser."""
    return urlsplit(answer.header("Location")).path


def or_none(send: Callable[[], Answer]) -> Answer | None:
    """The answer, or None if the connection was lost before there was one."""
    try:
        return send()
    except LOST:
        return None


def outcome_of(answer: Answer) -> Outcome:
    """Return what the response to a form says about the requested change."""
    if answer.status == SEE_OTHER:
        return Outcome.ACKNOWLEDGED
    if answer.status in (BAD_GATEWAY, TIMED_OUT) or answer.header("X-Changed") in ("yes", "unknown"):
        return Outcome.UNKNOWN
    if answer.status in (UNAVAILABLE, TOO_MANY):
        require_retry_after(answer)
        return Outcome.UNKNOWN if answer.status == TOO_MANY else Outcome.REFUSED
    assert answer.status < 500, f"{answer.status}: {answer.text}"
    return Outcome.REFUSED


def require_retry_after(answer: Answer) -> None:
    assert int(answer.header("Retry-After")) > 0, answer.text
