"""The application under a prefix of its host: mounted by a WSGI program, or reported by a trusted proxy."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from tests.web.browser import PASSWORD

PREFIX = "/tienda/stock-1"
OTHER = "/other"
ADDRESS = re.compile(r"""(?:=|url\()\s*["']?((?:https?:/)?/[^"'\s>)]*)""")


def elsewhere(_environment: object, start: Callable[..., object]) -> list[bytes]:
    start("404 Not Found", [("X-Left-The-Mount", "yes")])
    return [b""]


@pytest.fixture
def host(lend_app: Callable[..., Flask]) -> Client:
    """A host with two applications over the same database, and nothing at its root."""
    return Client(DispatcherMiddleware(elsewhere, {PREFIX: lend_app(), OTHER: lend_app()}), Response)


class Visitor:
    """Follows the addresses that pages give, as a browser at one mount does."""

    def __init__(self, client: Client, prefix: str = PREFIX) -> None:
        self.client, self.prefix, self.token = client, prefix, ""

    def get(self, address: str) -> TestResponse:
        answer = self.client.get(address, buffered=True)
        assert "X-Left-The-Mount" not in answer.headers, address
        if answer.mimetype == "text/html" and (found := re.search(r'name="csrf_token" value="([^"]+)"', answer.text)):
            self.token = found[1]
        return answer

    def post(self, address: str, **fields: str) -> TestResponse:
        answer = self.client.post(address, data={"csrf_token": self.token, **fields}, buffered=True)
        assert "X-Left-The-Mount" not in answer.headers, address
        return answer

    def follow(self, answer: TestResponse) -> TestResponse:
        while answer.status_code in (302, 303):
            answer = self.get(answer.location)
        return answer

    def logged_in(self, name: str = "ada", **more: str) -> "Visitor":
        self.get(f"{self.prefix}/login")
        assert self.post(f"{self.prefix}/login", username=name, password=PASSWORD, **more).status_code == 303
        return self


def addresses_in(page: str) -> Iterator[str]:
    for found in ADDRESS.findall(page):
        address = unescape(found)
        if not address.startswith(("http://www.w3.org/", "//")):
            yield address


def test_a_mount_serves_from_the_login_to_an_export(host: Client) -> None:
    visitor = Visitor(host)
    requested = host.get(f"{PREFIX}/inventory?search=a", buffered=True)
    login = visitor.get(requested.location)
    wanted = re.search(r'name="next" value="([^"]+)"', login.text)
    assert wanted
    entered = visitor.post(f"{PREFIX}/login", username="ada", password=PASSWORD, next=unescape(wanted[1]))
    assert urlsplit(visitor.follow(entered).request.url).path == f"{PREFIX}/inventory"
    made = visitor.post(f"{PREFIX}/products/new", code="A-1", name="Lámpara", quantity="3", operation="prefix-new-1")
    assert made.status_code == 303, made.text
    product = visitor.follow(made)
    assert "Lámpara" in product.text
    counted = visitor.post(f"{PREFIX}/products/A-1/quantity", quantity="7", expected="3", operation="prefix-set-1")
    assert "A-1" in visitor.follow(counted).text
    table = visitor.get(f"{PREFIX}/inventory/export.csv")
    assert (table.status_code, "A-1" in table.text) == (200, True)


@pytest.mark.slow
def test_no_page_of_a_mount_has_an_address_outside_of_it(host: Client) -> None:
    visitor = Visitor(host).logged_in()
    visitor.post(f"{PREFIX}/products/new", code="A-1", name="Lámpara", quantity="3", minimum="5", operation="prefix-2")
    waiting, seen = [f"{PREFIX}/"], set[str]()
    while waiting:
        address = waiting.pop()
        path = address.partition("?")[0]
        if path in seen or path.endswith("/logout"):
            continue
        seen.add(path)
        answer = visitor.follow(visitor.get(address))
        assert answer.status_code in (200, 404, 405), (address, answer.status_code)
        if answer.mimetype not in ("text/html", "text/css", "text/javascript"):
            continue
        found = set(addresses_in(answer.text)) if answer.mimetype == "text/html" else set()
        outside = {each for each in found if not urlsplit(each).path.startswith(f"{PREFIX}/")}
        assert outside == set(), address
        waiting += found
    assert len(seen) > 40


def test_the_address_on_a_label_of_a_mount_leads_into_it(lend_app: Callable[..., Flask]) -> None:
    with lend_app().test_request_context("/labels", base_url=f"http://stock.example{PREFIX}"):
        assert url_for("scanning.scan", code="A-1", _external=True) == f"http://stock.example{PREFIX}/scan?code=A-1"


@pytest.mark.parametrize("wanted", [f"{OTHER}/inventory", "/inventory", "/", f"{PREFIX}/../other/", f"{PREFIX}x/"])
def test_a_login_does_not_leave_its_mount(host: Client, wanted: str) -> None:
    visitor = Visitor(host)
    visitor.get(f"{PREFIX}/login")
    answer = visitor.post(f"{PREFIX}/login", username="ada", password=PASSWORD, next=wanted)

    assert answer.location == f"{PREFIX}/"


def test_two_mounts_of_a_host_share_no_cookie(host: Client) -> None:
    one, other = Visitor(host).logged_in("ada"), Visitor(host, OTHER).logged_in("vera")
    one.get(f"{PREFIX}/account")
    one.post(f"{PREFIX}/account/language", language="en")

    assert "ada" in one.get(f"{PREFIX}/account").text
    assert "vera" in other.get(f"{OTHER}/account").text
    assert '<html lang="es">' in other.get(f"{OTHER}/account").text
    other.post(f"{OTHER}/logout")
    assert one.get(f"{PREFIX}/account").status_code == 200


def test_cookies_of_a_mount_are_sent_to_it_alone(host: Client) -> None:
    visitor = Visitor(host)
    visitor.get(f"{PREFIX}/login")
    answers = [
        visitor.post(f"{PREFIX}/account/language", language="en"),
        visitor.post(f"{PREFIX}/account/theme", theme="dark"),
        visitor.post(f"{PREFIX}/login", username="ada", password=PASSWORD),
    ]
    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]

    assert len({cookie.partition("=")[0] for cookie in cookies}) == 4
    assert [cookie for cookie in cookies if f"; Path={PREFIX}" not in cookie] == []


def test_a_login_at_the_root_of_a_host_is_none_for_a_mount(lend_app: Callable[..., Flask]) -> None:
    """The browser sends the cookies of the root to the mount, too."""
    client = Client(DispatcherMiddleware(lend_app(), {PREFIX: lend_app()}), Response)
    Visitor(client, "").logged_in("ada")

    assert client.get("/account").status_code == 200
    assert client.get(f"{PREFIX}/account").status_code == 302


def test_a_mount_marks_the_line_of_the_menu_and_comes_back_to_a_page(host: Client) -> None:
    visitor = Visitor(host).logged_in()
    page = visitor.get(f"{PREFIX}/movements").text
    chosen = host.post(
        f"{PREFIX}/account/language",
        data={"csrf_token": visitor.token, "language": "es"},
        headers={"Referer": f"http://localhost{PREFIX}/movements?code=A"},
    )

    assert re.search(rf'href="{PREFIX}/movements"\s*aria-current="page"', page)
    assert chosen.location == f"{PREFIX}/movements?code=A"


@pytest.mark.parametrize(
    ("proxies", "sent", "location"),
    [
        (1, "/stock", "/stock/login"),
        (1, "/stock/", "/stock/login"),
        (1, "/a/b.c-d_e~f", "/a/b.c-d_e~f/login"),
        (1, "//evil.example", "/login"),
        (1, "https://evil.example", "/login"),
        (1, "/\\evil.example", "/login"),
        (1, "/..", "/login"),
        (1, "stock", "/login"),
        (0, "/stock", "/login"),
    ],
)
def test_a_prefix_counts_from_a_trusted_proxy_only(
    lend_app: Callable[..., Flask], proxies: int, sent: str, location: str
) -> None:
    answer = lend_app(proxies=proxies).test_client().get("/", headers={"X-Forwarded-Prefix": sent})

    assert answer.location == location
