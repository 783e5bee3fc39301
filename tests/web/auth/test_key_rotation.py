"""The secret key is replaced while users work: signatures and encryption of the old one are still accepted."""

from collections.abc import Callable
from pathlib import Path
from time import time

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import make_url

from inventory_core import Inventory
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.tokens import CausalToken, TokenCodec, TokenVerdict
from inventory_web import Settings
from inventory_web.auth import two_factor
from inventory_web.auth.two_factor import decrypt
from inventory_web.db import bootstrap, replicas
from inventory_web.db.models import SecondFactor
from inventory_web.http import forms
from tests.web.browser import PASSWORD, Browser

OLD, NEW = "the old key, long and random 0123456789", "the new key, long and random 9876543210"

MakeApp = Callable[..., Flask]


@pytest.fixture
def before(lend_app: MakeApp) -> Flask:
    return lend_app(secret_key=SecretStr(OLD))


@pytest.fixture
def during(lend_app: MakeApp) -> Flask:
    return lend_app(secret_key=SecretStr(NEW), secret_key_old=SecretStr(OLD))


@pytest.fixture
def after(lend_app: MakeApp) -> Flask:
    return lend_app(secret_key=SecretStr(NEW))


def moved(browser: Browser, app: Flask) -> Browser:
    """The same browser, served by another application."""
    cookie = browser.client.get_cookie("inventory_session")
    assert cookie is not None
    there = Browser(app)
    there.client.set_cookie("inventory_session", cookie.value)
    there.token = browser.token
    return there


def test_a_login_of_the_old_key_lasts_and_is_signed_anew(before: Flask, during: Flask, after: Flask) -> None:
    browser = Browser(before).let_in("vera")

    assert moved(browser, after).get("/inventory").status_code == 302
    renewed = moved(browser, during)
    assert renewed.get("/inventory").status_code == 200
    assert moved(renewed, after).get("/inventory").status_code == 200


def test_a_form_that_was_shown_under_the_old_key_is_accepted(before: Flask, during: Flask) -> None:
    browser = Browser(before).let_in("vera")
    browser.get("/account/password")

    assert moved(browser, during).post("/account/theme", theme="dark").status_code == 303


def test_kept_forms_of_the_old_key_are_read(before: Flask, during: Flask, after: Flask) -> None:
    form = forms.KeptForm("/products/new", "/products/new", (("name", "Mesa"),), complete=True)
    with before.app_context():
        kept = forms.pack(form, user_id=1)

    with during.app_context():
        assert forms.unpack(kept, user_id=1) == form
    with after.app_context():
        assert forms.unpack(kept, user_id=1) is None


def test_second_factors_of_the_old_key_work_and_are_encrypted_anew(before: Flask, inventory: Inventory) -> None:
    browser = Browser(before).let_in("vera")
    browser.post("/account/second-factor/begin", current_password=PASSWORD)
    (sealed,) = secrets_of(inventory)
    secret = decrypt(sealed, secret_keys=(NEW, OLD))

    assert secret is not None
    assert decrypt(sealed, secret_keys=(NEW,)) is None
    assert two_factor.reseal_secrets(inventory, secret_keys=(NEW, OLD)) == 1
    assert two_factor.reseal_secrets(inventory, secret_keys=(NEW, OLD)) == 0
    assert [decrypt(each, secret_keys=(NEW,)) for each in secrets_of(inventory)] == [secret]


def test_causal_tokens_of_the_old_key_are_believed() -> None:
    def codec(key: str, old: str = "") -> TokenCodec:
        replica_urls = ("mysql+pymysql://replica/x",)
        settings = Settings(replica_urls=replica_urls, secret_key=SecretStr(key), secret_key_old=SecretStr(old))
        url = make_url("mysql+pymysql://u:p@source/x")
        return TokenCodec(replicas.cluster_config(settings, url, bootstrap.secret_keys(settings)).tokens, "inventory")

    before, during, after = codec(OLD), codec(NEW, OLD), codec(NEW)
    token = CausalToken("inventory", GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"), issued_at=int(time()))

    assert during.decode(before.encode(token), time()).verdict is TokenVerdict.VALID
    assert after.decode(during.encode(token), time()).verdict is TokenVerdict.VALID
    assert after.decode(before.encode(token), time()).verdict is TokenVerdict.UNKNOWN_KEY


def test_the_old_key_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "old").write_text(f"{OLD}\n")
    monkeypatch.setenv("INVENTORY_SECRET_KEY", NEW)
    monkeypatch.setenv("INVENTORY_SECRET_KEY_OLD_FILE", str(tmp_path / "old"))

    assert bootstrap.secret_keys(Settings.from_environment()) == (NEW, OLD)


def secrets_of(inventory: Inventory) -> list[str]:
    with inventory.sessions.reader() as session:
        return [row.secret for row in session.query(SecondFactor)]
