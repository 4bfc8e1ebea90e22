"""Cleaning and classifying a paste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.errors import CredentialError, PeriluneError, UsageError
from perilune.core.secret import Secret
from perilune.providers.contract.paste import classify, clean_paste, is_masked
from perilune.providers.contract.registry import providers

KEY = "sk-kimi-EXAMPLE0000000000a1b2"
PLANS = [provider.plan for provider in providers().values()]


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        (KEY, []),
        (f" {KEY} ", ["spaces"]),
        (f' "{KEY}"\n', ["trailing_line_break", "quotes"]),
        (f"“{KEY}”", ["quotes"]),
        (f"‘{KEY}’,", ["punctuation", "quotes"]),
        (f"Bearer {KEY}", ["bearer"]),
        (f"Authorization: Bearer {KEY}", ["bearer"]),
        (f"authorization:{KEY}", ["bearer"]),
        (f"export KIMI_CODE_API_KEY='{KEY}';", ["punctuation", "name", "quotes"]),
        (f"set MY_KEY={KEY}", ["name"]),
        (f"$env:MY_KEY = {KEY}", ["name"]),
        (f"MY_KEY={KEY}", ["name"]),
        (f"\u3000{KEY}\u3000", ["full_width"]),
        (f"\ufeff{KEY}\u200b", ["invisible"]),
        (f"{KEY[:12]}\n  {KEY[12:]}", ["line_break"]),
        (f"{KEY}\r\n", ["trailing_line_break"]),
    ],
)
def test_what_surrounds_a_key_is_removed_and_told(text: str, removed: list[str]) -> None:
    pasted = clean_paste(text)
    assert pasted.secret.reveal() == KEY
    assert sorted(one.what for one in pasted.removed) == sorted(removed)
    assert not any(KEY in one.text for one in pasted.removed)


def test_two_keys_are_not_guessed_between() -> None:
    with pytest.raises(UsageError) as caught:
        clean_paste(f"{KEY} sk-EXAMPLE0000000000000001")
    assert caught.value.problem.code == "PL-ADD-MANY"
    assert clean_paste(f"{KEY}\n{KEY[:0]}").secret.reveal() == KEY


@pytest.mark.parametrize("text", ["sk-a b", "sk-a\x00b", "sk-ключ"])
def test_what_cannot_be_a_key_is_refused(text: str) -> None:
    with pytest.raises(CredentialError) as caught:
        clean_paste(text)
    assert caught.value.problem.code == "PL-401-SHAPE"


@given(st.text(max_size=60))
def test_any_text_becomes_a_key_or_an_error_of_ours(text: str) -> None:
    try:
        pasted = clean_paste(text)
    except PeriluneError:
        return
    assert pasted.secret.reveal().isprintable()
    assert pasted.secret.reveal().isascii()


@pytest.mark.parametrize(
    ("key", "kind", "plan"),
    [
        ("sk-kimi-EXAMPLE", "known", "kimi-code"),
        ("sk-or-v1-EXAMPLE", "known", "openrouter"),
        ("sk-EXAMPLE", "known", "moonshot"),
        ("sk-ant-EXAMPLE", "foreign", None),
        ("ghp_EXAMPLE", "foreign", None),
        ("eyJhbGciOi.eyJleHAi.c2ln", "web-session", None),
        ("kimi-code-token", "unknown", None),
    ],
)
def test_the_beginning_says_what_a_key_looks_like(key: str, kind: str, plan: str | None) -> None:
    found = classify(Secret(key), PLANS)
    assert (found.kind, found.plan) == (kind, plan)


@pytest.mark.parametrize(("text", "masked"), [("sk-…a1b2", True), ("•••", True), ("***", True), (KEY, False)])
def test_a_shown_key_is_told_from_a_key(text: str, masked: bool) -> None:
    assert is_masked(text) is masked
