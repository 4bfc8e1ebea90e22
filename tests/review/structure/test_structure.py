"""Code read by its grammar: every language of the list, faults, definitions, calls, and the way without a grammar."""

import builtins
import subprocess
import sys
from collections.abc import Callable

import pytest

from perilune.review.structure.definitions import around, calls, definitions
from perilune.review.structure.grammar import fault_count
from perilune.review.structure.languages import LANGUAGES, language_of
from perilune.review.structure.names import introduces_unknown
from perilune.review.structure.reparse import parses_after

WHOLE = {
    "py": "def total(items):\n    return compute(items)\n",
    "js": "function total(items) {\n  return compute(items);\n}\n",
    "ts": "function total(items: number[]): number {\n  return compute(items);\n}\n",
    "tsx": "const total = (items: number[]) => {\n  return compute(items);\n};\n",
    "go": "package shop\n\nfunc total(items []int) int {\n\treturn compute(items)\n}\n",
    "java": "class Shop {\n  int total(int[] items) {\n    return compute(items);\n  }\n}\n",
    "rs": "fn total(items: &[i32]) -> i32 {\n    compute(items)\n}\n",
    "rb": "def total(items)\n  compute(items)\nend\n",
    "c": "int total(int *items) {\n  return compute(items);\n}\n",
    "cpp": "int Shop::total(int *items) const {\n  return compute(items);\n}\n",
    "cs": "class Shop {\n  int total(int[] items) {\n    return compute(items);\n  }\n}\n",
    "kt": "fun total(items: List<Int>): Int {\n  return compute(items)\n}\n",
    "php": "<?php\nfunction total($items) {\n  return compute($items);\n}\n",
    "swift": "func total(items: [Int]) -> Int {\n  return compute(items)\n}\n",
    "scala": "object Shop {\n  def total(items: List[Int]): Int = {\n    compute(items)\n  }\n}\n",
    "lua": "function total(items)\n  return compute(items)\nend\n",
    "sh": "total() {\n  compute items\n}\n",
    "ex": "defmodule Shop do\n  def total(items) do\n    compute(items)\n  end\nend\n",
    "hs": "total items = compute (items)\n",
    "sol": "contract Shop {\n  function total(uint items) public {\n    compute(items);\n  }\n}\n",
    "dart": "class Shop {\n  int total(List items) {\n    return compute(items);\n  }\n}\n",
    "zig": "fn total(items: []i32) i32 {\n    return compute(items);\n}\n",
}
DATA = {
    "json": '{"a": [1, 2]}\n',
    "yaml": "a: [1, 2]\n",
    "html": "<p>one</p>\n",
    "css": "a { color: red; }\n",
    "nix": "{ a = (1); }\n",
    "hcl": 'a "b" {\n  c = 1\n}\n',
}


def test_every_language_of_the_list_has_a_grammar_and_an_example() -> None:
    named = {language_of(f"file.{ending}") for ending in (*WHOLE, *DATA)}
    assert named == set(LANGUAGES)


@pytest.mark.parametrize("ending", [*WHOLE, *DATA])
def test_whole_code_has_no_fault_and_a_stray_bracket_is_one(ending: str) -> None:
    text = (WHOLE | DATA)[ending]
    path = f"src/file.{ending}"
    assert fault_count(path, text) == 0
    last = {"html": "<p", "css": "a { color: ", "sh": "if [ 1 ]; then\n", "ex": "(", "hs": "total = ((\n"}.get(
        ending, "}}(("
    )
    assert parses_after(path, text, text + last) is False
    assert parses_after(path, text, text) is True


@pytest.mark.parametrize("ending", WHOLE)
def test_what_a_file_defines_and_calls_is_read_by_its_grammar(ending: str) -> None:
    lines = WHOLE[ending].split("\n")
    path = f"file.{ending}"
    symbol = next(symbol for symbol in definitions(path, lines) if symbol.name == "total")
    at = next(number for number, line in enumerate(lines, 1) if "compute" in line)
    assert symbol.start <= at <= symbol.end
    assert around(path, lines, at) == symbol
    if ending != "hs":
        assert [call.name for call in calls(path, lines, {at})] == ["compute"]
    assert calls(path, lines, set()) == []


def test_a_fault_that_was_there_before_is_no_new_one() -> None:
    broken = WHOLE["js"] + "function (\n"
    assert parses_after("a.js", broken, broken.replace("compute", "count")) is True
    assert parses_after("a.js", broken, broken + "}}((") is False


def test_something_missing_counts_even_where_no_node_is_an_error() -> None:
    assert parses_after("a.go", WHOLE["go"], WHOLE["go"].replace("items)\n", "items\n")) is False


def test_a_language_that_nobody_knows_is_not_judged() -> None:
    assert fault_count("a.sql", "select (") is None
    assert parses_after("a.sql", "select 1", "select (") is None
    assert [symbol.name for symbol in definitions("a.vala", ["class Shop {", "}"])] == ["Shop"]


@pytest.fixture
def without_grammars(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wheel of the parser for this platform."""
    real: Callable[..., object] = builtins.__import__

    def refused(name: str, *rest: object, **more: object) -> object:
        if name == "ast_grep_py":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "ast_grep_py", raising=False)
    monkeypatch.setattr(builtins, "__import__", refused)


@pytest.mark.usefixtures("without_grammars")
def test_without_the_parser_the_shape_of_lines_is_read() -> None:
    lines = WHOLE["java"].split("\n")
    assert "total" in {symbol.name for symbol in definitions("a.java", lines)}
    assert [call.name for call in calls("a.java", lines, {3})] == ["compute"]
    assert parses_after("a.java", WHOLE["java"], WHOLE["java"] + "}") is None
    assert parses_after("a.py", WHOLE["py"], WHOLE["py"] + "(") is False


@pytest.mark.parametrize(
    ("path", "text", "new", "is_half"),
    [
        ("a.js", WHOLE["js"], "  return sanitize(items);", True),
        ("a.js", WHOLE["js"], "  return parseInt(items);", False),
        ("a.js", WHOLE["js"], "  return items.reduce(compute);", False),
        ("a.go", WHOLE["go"].replace("package shop\n\n", "package shop\n"), "\treturn sanitize(items)", True),
        ("a.rs", WHOLE["rs"], "    vec![compute(items)].len()", False),
        ("a.rs", WHOLE["rs"], "    sanitize(items)", True),
        ("a.py", WHOLE["py"], "    return len(compute(items))", False),
        ("a.c", WHOLE["c"], "  return anything(items);", False),
    ],
)
def test_a_fix_that_calls_what_nobody_defines_is_half_a_fix(path: str, text: str, new: str, is_half: bool) -> None:
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines, 1) if "compute" in line)
    assert introduces_unknown(path, text, at, [lines[at - 1]], [new]) is is_half


def test_planning_a_review_never_loads_the_parser() -> None:
    code = f"import sys; sys.path[:] = {sys.path!r}; import perilune.review.run; print('ast_grep_py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
