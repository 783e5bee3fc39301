"""Text of causal tokens: ours comes back, everything else is refused and says why."""

import hmac
from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.config import TokenKey, TokenPolicy
from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.tokens import CausalToken, TokenCodec, TokenReading, TokenVerdict

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
NOW = 1_795_000_000.0
OLD, NEW = TokenKey("k1", b"an old secret of twenty"), TokenKey("k2", b"a new secret of twenty b")
CODEC = TokenCodec(TokenPolicy((NEW, OLD)), "shop")
TOKEN = CausalToken("shop", GtidSet.parse(f"{A}:7-9:app:3"), issued_at=int(NOW))
TEXT = CODEC.encode(TOKEN)


def signed(payload: str, key: TokenKey = NEW) -> str:
    """Sign what an owner of the key could sign."""
    derived = hmac.digest(key.secret, b"inventory_replication causal token c1", "sha256")
    body = f"c1.{key.key_id}." + urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()
    return f"{body}." + urlsafe_b64encode(hmac.digest(derived, body.encode(), "sha256")).rstrip(b"=").decode()


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(0, 5)), max_size=20),
    st.booleans(),
    st.integers(0, 2_000_000_000),
)
def test_a_token_comes_back_as_it_was(spans: list[tuple[int, int]], unknown: bool, issued_at: int) -> None:
    gtids = EMPTY
    for first, length in spans:
        gtids |= GtidSet.of(A, first, first + length)
    token = CausalToken("shop", gtids, unknown=unknown, issued_at=issued_at)
    text = CODEC.encode(token)

    if token.requires_nothing:
        assert text == ""
    else:
        assert CODEC.decode(text, issued_at) == TokenReading(TokenVerdict.VALID, token)
        assert quote(text, safe="") == text


@pytest.mark.parametrize("text", [None, ""])
def test_no_token_is_not_an_offence(text: str | None) -> None:
    reading = CODEC.decode(text, NOW)

    assert (reading.verdict, reading.token, reading.rejected) == (TokenVerdict.ABSENT, None, False)


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_any_changed_character_is_refused(at: int, character: str) -> None:
    changed = TEXT[:at] + character + TEXT[at + 1 :]
    reading = CODEC.decode(changed, NOW)

    assert reading.rejected == (changed != TEXT)
    assert (reading.token is None) == (changed != TEXT)


@given(st.text(max_size=400) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_can_be_decoded_but_is_not_a_token(text: str) -> None:
    reading = CODEC.decode(text, NOW)

    assert reading.token is None
    assert reading.rejected == bool(text)


@given(st.text(max_size=200))
def test_any_signed_payload_can_be_decoded(payload: str) -> None:
    assert CODEC.decode(signed(payload), NOW).verdict in set(TokenVerdict) - {
        TokenVerdict.ABSENT,
        TokenVerdict.BAD_SIGNATURE,
    }


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("x" * 2049, TokenVerdict.OVERSIZED),
        ("x" * 1_000_000, TokenVerdict.OVERSIZED),
        (TEXT + "\n", TokenVerdict.MALFORMED),
        ("' OR 1=1; DROP TABLE product -- ", TokenVerdict.MALFORMED),
        (f"{A}:1-5", TokenVerdict.MALFORMED),
        (TEXT.replace("c1.", "c2.", 1), TokenVerdict.MALFORMED),
        (TEXT.replace(".k2.", ".k9.", 1), TokenVerdict.UNKNOWN_KEY),
        (TEXT.replace(".k2.", ".k1.", 1), TokenVerdict.BAD_SIGNATURE),
        (signed(f"{int(NOW)};-;shop;{A}:1", TokenKey("k2", b"a secret of somebody else")), TokenVerdict.BAD_SIGNATURE),
        (signed(f"{int(NOW)};-;other;{A}:1"), TokenVerdict.FOREIGN_CLUSTER),
        (signed(f"{int(NOW) - 86_401};-;shop;{A}:1"), TokenVerdict.EXPIRED),
        (signed(f"{int(NOW)};-;shop;{A}:1;DROP TABLE product"), TokenVerdict.MALFORMED),
        (signed(f"{int(NOW)};-;shop;') OR SLEEP(9)"), TokenVerdict.MALFORMED),
        (signed(f"{int(NOW)};?;shop;{A}:1"), TokenVerdict.MALFORMED),
        (signed("áé"), TokenVerdict.MALFORMED),
        (signed(f"{int(NOW)};-;shop;{A}:1"), TokenVerdict.VALID),
    ],
)
def test_a_text_that_is_not_believed_says_why(text: str, verdict: TokenVerdict) -> None:
    reading = CODEC.decode(text, NOW)

    assert reading.verdict is verdict
    assert reading.rejected == (reading.token is None) == (verdict is not TokenVerdict.VALID)


def test_a_token_lapses_with_its_age_and_not_before() -> None:
    assert CODEC.decode(TEXT, NOW + 86_400).verdict is TokenVerdict.VALID
    assert CODEC.decode(TEXT, NOW + 86_401).verdict is TokenVerdict.EXPIRED


def test_a_clock_that_is_an_hour_behind_changes_nothing() -> None:
    assert CODEC.decode(TEXT, NOW - 3_600).token == TOKEN


def test_keys_are_rotated_without_losing_a_token() -> None:
    before = TokenCodec(TokenPolicy((OLD,)), "shop")
    during = TokenCodec(TokenPolicy((OLD, NEW)), "shop")
    after = TokenCodec(TokenPolicy((NEW,)), "shop")

    assert CODEC.decode(before.encode(TOKEN), NOW).token == TOKEN
    assert during.decode(CODEC.encode(TOKEN), NOW).token == TOKEN
    assert after.decode(before.encode(TOKEN), NOW).verdict is TokenVerdict.UNKNOWN_KEY
    assert before.encode(TOKEN).startswith("c1.k1.")
    assert CODEC.encode(TOKEN).startswith("c1.k2.")


def test_a_signature_under_the_bare_secret_is_not_one_of_a_token() -> None:
    body = TEXT.rsplit(".", 1)[0]
    bare = urlsafe_b64encode(hmac.digest(NEW.secret, body.encode(), "sha256")).rstrip(b"=").decode()

    assert CODEC.decode(f"{body}.{bare}", NOW).verdict is TokenVerdict.BAD_SIGNATURE


def test_a_token_that_does_not_fit_sends_its_reader_to_the_source() -> None:
    holes = GtidSet.parse(f"{A}:" + ":".join(str(2 * number) for number in range(1, 900)))
    text = CODEC.encode(CausalToken("shop", holes, issued_at=int(NOW)))

    assert len(text) < 300
    assert CODEC.decode(text, NOW).token == CausalToken("shop", unknown=True, issued_at=int(NOW))


def test_the_longest_token_that_fits_is_written_and_read_and_a_longer_one_is_not() -> None:
    token = CausalToken("shop", GtidSet.parse(f"{A}:" + ":".join(str(n) for n in range(100, 200, 2))))
    text = CODEC.encode(token)
    fits, tight = (TokenCodec(TokenPolicy((NEW,), max_bytes=len(text) - less), "shop") for less in (0, 1))

    assert (fits.encode(token), fits.decode(text, 0.0).token) == (text, token)
    assert tight.decode(tight.encode(token), 0.0).token == CausalToken("shop", unknown=True)
    assert tight.decode(text, 0.0).verdict is TokenVerdict.OVERSIZED
