"""Findings are known by their code and their words."""

import pytest

from perilune.patches.fingerprint import are_similar, identify, occurrence_of, similarity
from perilune.patches.symbols import enclosing_symbol

SAME = [
    ("An empty cart divides by zero", "Division by zero when the cart is empty"),
    ("The token is compared with ==", "Token compared using == leaks timing"),
    ("commit() may raise before release()", "The lock is not released when commit() raises: release() is skipped"),
    ("锁在提交失败时没有释放", "提交失败时锁没有释放"),
]
DISTINCT = [
    ("An empty cart divides by zero", "The token is compared with =="),
    ("user_id is not checked against the session", "user_id is logged in clear text"),
    ("The file is never closed", "The path is not quoted in the shell command"),
    ("锁在提交失败时没有释放", "日期格式不正确"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_defect_in_other_words_is_similar_on_equal_code(one: str, other: str) -> None:
    assert are_similar(one, other, same_code=True), similarity(one, other)


@pytest.mark.parametrize(("one", "other"), DISTINCT)
def test_distinct_defects_are_not_similar(one: str, other: str) -> None:
    assert not are_similar(one, other, same_code=True), similarity(one, other)


def test_a_fingerprint_holds_no_line_number_and_no_prose() -> None:
    one = identify("a.py", "    x  =  1", "f", 0, "bug")
    assert one == identify("a.py", "x = 1", "f", 0, "bug")
    assert one.fingerprint_code == identify("a.py", "x = 1", "f", 0, "security").fingerprint_code
    assert (
        len(
            {
                one.fingerprint,
                identify("a.py", "x = 1", "f", 1, "bug").fingerprint,
                identify("a.py", "x = 2", "f", 0, "bug").fingerprint,
            }
        )
        == 3
    )


def test_equal_lines_are_told_apart_by_their_order() -> None:
    lines = ["x = 1", "y = 2", "x = 1"]
    assert [occurrence_of("x = 1", number, lines) for number in (1, 3)] == [0, 1]
    assert [occurrence_of("x = 1", number, lines, first=10) for number in (10, 12)] == [0, 1]


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("class A:\n    def f(self):\n        if x:\n            y()\n", 4, "A.f"),
        ("export class A {\n  private async run(x: int): Promise<void> {\n    go();\n  }\n}\n", 3, "A.run"),
        ("func (s *Server) Serve(l net.Listener) error {\n\treturn nil\n}\n", 2, "Serve"),
        ("const add = (a, b) => {\n  return a + b;\n};\n", 2, "add"),
        ("impl Foo {\n    pub fn bar(&self) -> u8 {\n        1\n    }\n}\n", 3, "Foo.bar"),
        ("x = 1\n", 1, None),
        ("def f():\n    g(\n        1,\n    )\n", 3, "f"),
    ],
)
def test_the_symbol_around_a_line(text: str, line: int, name: str | None) -> None:
    symbol = enclosing_symbol(text.split("\n"), line)
    assert (symbol.name if symbol else None) == name
