"""Display width."""

from hypothesis import given
from hypothesis import strategies as st

from perilune.core.width import cut, pad, width, wrap


def test_wide_characters_take_two_cells_and_marks_none() -> None:
    assert [width(text) for text in ("abc", "测试账号", "é", "ｅ", "a\u200bb", "█░", "·–")] == [3, 8, 1, 2, 2, 2, 2]


def test_filling_and_cutting_count_cells() -> None:
    assert pad("测试", 6) == "测试  "
    assert pad("测试", 6, "right") == "  测试"
    assert cut("测试账号", 5) == "测试…"
    assert cut("abc", 3) == "abc"


def test_lines_break_at_spaces_and_between_wide_characters_but_not_before_a_stop() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("一二三四。", 8) == ["一二三", "四。"]
    assert wrap("运行 perilune add", 10) == ["运行", "perilune", "add"]
    assert wrap("first\nsecond", 40) == ["first", "second"]


def test_a_word_that_is_wider_than_a_line_stays_whole() -> None:
    assert wrap("see https://example.com/a/long/path now", 12) == ["see", "https://example.com/a/long/path", "now"]


@given(st.text(alphabet="ab 测x", max_size=40), st.integers(4, 20))
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    longest_word = max((width(word) for word in text.split()), default=0)
    assert all(width(line) <= max(columns, longest_word) for line in lines)
