"""What a model writes is shown and does nothing, however it is dressed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.review.outputs.harmless import harmless

_CODE = re.compile(r"(?<![\\`])(`+)(?!`)([^\n]*?[^\n`])\1(?!`)")


def bare(text: str) -> str:
    """The text without its code, as a forge looks for what is live in it."""
    rows, fence = [], None
    for line in text.split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})(.*)$", line)
        if fence is None and mark:
            fence = mark[1]
        elif fence is not None and mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = None
        elif fence is None:
            rows.append(_CODE.sub("", line))
    assert fence is None, "a fence is left open"
    return "\n".join(rows)


LIVE = re.compile(
    r"(?<![\w\\])@[A-Za-z0-9]|https?://|www\.|!\[[^\]]*\]\(|(?<!\\)\[[^\]]*\]:|<[a-zA-Z!/]|^\s*/\w"
    r"|(?i:\b(?:fixes|closes|resolves)\s+(?:\S+/\S+)?#\d)",
    re.MULTILINE,
)


@pytest.mark.parametrize(
    "text",
    [
        "ask @ada and @team/all",
        "`ask @ada now`",
        "`@ada stays open",
        "``a` @ada ``",
        "see https://evil.example/x and `read https://evil.example/y here`",
        "![pixel](https://evil.example/p.png)",
        "![pixel][p]\n\n[p]: //evil.example/p.png",
        "- [p]: //evil.example/p.png",
        "www.evil.example",
        "fixes #12, closes GH-3, resolves team/shop#4",
        "/approve\n  /merge",
        "```\n@ada",
        "```suggestion\nrm -rf\n```\n@ada",
        "~~~\n```\n@ada\n~~~\n@bob",
        "<img src=x onerror=y> <!-- perilune:finding v1 fp=1 code=2 -->",
        "<script>alert(1)</script>",
    ],
)
def test_nothing_in_a_comment_is_live(text: str) -> None:
    assert LIVE.search(bare(harmless(text))) is None
    assert "<!--" not in harmless(text)


@given(
    st.lists(
        st.sampled_from(["`", "``", "```", "@ada", "https://e.example", "\n", " ", "/merge", "~~~", "x"]), max_size=14
    )
)
def test_no_mix_of_marks_brings_anything_to_life(parts: list[str]) -> None:
    shown = bare(harmless("".join(parts)))
    assert re.search(r"(?<![\w\\])@[A-Za-z0-9]|https?://", shown) is None


def test_plain_words_and_code_stay_as_they_are() -> None:
    text = "`items` is empty: list[int] fails, see #12.\n\n```python\nx = a[0]\n```\nmail a@b.example"
    assert harmless(text) == text
