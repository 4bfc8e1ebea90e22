import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.redact import MASK, redact, vendor_words

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=24, max_size=60)
SURROUNDINGS = st.sampled_from([" ", '"', "'", "(", ",", "=", ": ", "\n", "\x1b[31m", "<", ">", "`", "key ", "…"])


def web_token(claims: object) -> str:
    parts = ({"alg": "HS256"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return ".".join((*encoded, "c2lnbmF0dXJl"))


@given(
    st.sampled_from(["sk-", "sk-kimi-", "sk-or-v1-", "plk_", "ghp_", "github_pat_", "glpat-"]),
    LETTERS,
    SURROUNDINGS,
    SURROUNDINGS,
)
def test_a_key_never_survives_whatever_stands_around_it(prefix: str, body: str, before: str, after: str) -> None:
    assert body not in redact(f"it said {before}{prefix}{body}{after} and so on")


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8)), SURROUNDINGS, SURROUNDINGS)
def test_a_web_token_never_survives(claims: dict[str, str], before: str, after: str) -> None:
    token = web_token(claims)
    shown = redact(f"{before}{token}{after}")
    assert token not in shown
    assert token.split(".")[1] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer HIDDEN-VALUE",
        "authorization: Basic HIDDEN-VALUE",
        "Authorization:HIDDEN-VALUE",
        '{"access_token": "HIDDEN-VALUE", "expires_in": 900}',
        "{'refresh_token': 'HIDDEN-VALUE'}",
        "x-api-key: HIDDEN-VALUE",
        "api_key=HIDDEN-VALUE&x=1",
        "password=HIDDEN-VALUE",
        "client_secret: HIDDEN-VALUE",
        "Cookie: a=b; kimi-auth=HIDDEN-VALUE; theme=dark",
        "Set-Cookie: session=HIDDEN-VALUE; Path=/",
        "cookie: theme=dark; session=HIDDEN-VALUE",
        "bearer HIDDEN-VALUE",
        "https://user:HIDDEN-VALUE@example.com/v1",
        "https://example.com/v1?key=HIDDEN-VALUE",
        "https://example.com/v1?a=1&token=HIDDEN-VALUE#x",
    ],
)
def test_a_value_that_is_named_a_credential_is_masked(text: str) -> None:
    assert "HIDDEN-VALUE" not in redact(text)
    assert MASK in redact(text)


@pytest.mark.case("gateway CL-23")
def test_organisation_and_key_ids_are_masked() -> None:
    shown = redact("Your account org-abc123<ak-def456> is suspended")
    assert shown == f"Your account {MASK}<{MASK}> is suspended"


@pytest.mark.parametrize(
    "text",
    [
        "GET https://api.kimi.com/coding/v1/usages answered 403",
        "max_tokens: 5 is more than the model can take",
        "kimi-for-coding, kimi-k2.6 and k3-256k; 2026-11-20T12:00:00Z",
        "the task-list of disk-usage.example.com",
        "PL-401-KEY: api.kimi.com refuses this key",
        "",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("unit", ["eyJ", "sk-", "bearer ", "a.", "cookie:", "org", "://a:", "Authorization:  "])
def test_a_long_hostile_text_is_read_in_bounded_steps(unit: str) -> None:
    assert len(redact(unit * 40_000)) <= 40_000 * (len(unit) + len(MASK))


def test_vendor_words_are_one_short_visible_line() -> None:
    words = vendor_words("You've\n  reached\tyour \x1b[31mlimit\x1b[0m " + "x" * 5000)
    assert words.startswith(r"You've reached your \x1b[31mlimit\x1b[0m x")
    assert len(words) == 160
    assert words.endswith("…")


def test_vendor_words_hold_no_key() -> None:
    assert "EXAMPLE" not in vendor_words("bad key sk-kimi-EXAMPLEEXAMPLE given")


@given(st.text(max_size=400), st.integers(min_value=10, max_value=200))
def test_vendor_words_never_exceed_their_bound_nor_hold_control_characters(text: str, limit: int) -> None:
    words = vendor_words(text, limit)
    assert len(words) <= limit
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in words)
