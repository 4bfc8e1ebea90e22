"""Edits of other programs' files: ours goes in once and comes out alone."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.faces.install.edits import Unfit
from perilune.faces.install.edits.block import Block, Whole
from perilune.faces.install.edits.json_member import JsonMember
from perilune.faces.install.edits.toml_key import TomlKey

STATUS_LINE = {"type": "command", "command": "perilune statusline --for claude"}
MEMBER = JsonMember(key="statusLine", value=STATUS_LINE)
KEY = TomlKey(table="status_line", key="command", value='"perilune statusline --for kimi"')

SETTINGS = """\
{
    "model": "opus",
    "permissions": {"allow": ["Bash(ls)"], "note": "a } in a \\"string\\""}
}
"""
ADDED = """\
{
    "model": "opus",
    "permissions": {"allow": ["Bash(ls)"], "note": "a } in a \\"string\\""},
    "statusLine": {
        "type": "command",
        "command": "perilune statusline --for claude"
    }
}
"""
COMMENTED = """\
// of mine
{
  "layer": "top", // "custom/perilune": no
  /* modules } */
  "modules-right": ["clock",],
}
"""


def test_a_member_goes_in_behind_the_last_and_leaves_the_rest_as_it_was() -> None:
    told, before = MEMBER.put(SETTINGS)
    assert (told, before) == (ADDED, None)
    assert MEMBER.put(told) == (told, None)
    assert MEMBER.take(told, None) == SETTINGS


def test_another_value_is_replaced_and_comes_back() -> None:
    text = '{"statusLine": {"type": "command", "command": "mine.sh"}, "x": 1}'
    told, before = MEMBER.put(text)
    assert json.loads(told) == {"statusLine": STATUS_LINE, "x": 1}
    assert MEMBER.take(told, before) == text


def test_comments_and_trailing_commas_stay() -> None:
    member = JsonMember(key="custom/perilune", value={"exec": "x"})
    told, _ = member.put(COMMENTED)
    assert told.startswith(COMMENTED[:60])
    assert '"custom/perilune": {\n    "exec": "x"\n  },\n}' in told
    assert member.take(told, None) == COMMENTED


def test_ours_is_found_although_another_program_wrote_the_file_anew() -> None:
    told, _ = MEMBER.put(SETTINGS)
    again = json.dumps({"theme": "dark", **json.loads(told)}, indent=1, sort_keys=True)
    left = MEMBER.take(again, None)
    assert left is not None
    assert json.loads(left) == {"theme": "dark", **json.loads(SETTINGS)}


def test_what_is_not_ours_any_more_is_left_alone() -> None:
    assert MEMBER.take('{"statusLine": {"command": "mine"}}', None) is None
    assert MEMBER.take("{}", None) is None
    assert MEMBER.take("not json", None) is None


@pytest.mark.parametrize("text", ["[]", "[{}]", "{", "x", '{"a": }', '"text"'])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        MEMBER.put(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(st.text(), JSON, max_size=5), indent=st.sampled_from([None, 1, 2, 4, "\t"]))
def test_any_object_keeps_its_meaning(data: dict[str, object], indent: int | str | None) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    told, before = MEMBER.put(text)
    assert json.loads(told) == {**data, "statusLine": STATUS_LINE}
    left = MEMBER.take(told, before)
    assert left is not None
    assert json.loads(left) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        'theme = "dark"\n',
        'theme = "dark"',
        '# mine\n[status_line]\n# of this\nrefresh = 5\n\n[other]\ncommand = "x"\n',
        "a = 1\r\n[b]\r\nc = 2\r\n",
        '[status_line]\ncommand = "mine.sh"  # keep\n',
        "[status_line.more]\nx = 1\n",
    ],
)
def test_a_key_goes_in_and_comes_out(text: str) -> None:
    told, before = KEY.put(text)
    assert tomllib.loads(told)["status_line"]["command"] == "perilune statusline --for kimi"
    assert KEY.put(told) == (told, None)
    left = KEY.take(told, before)
    assert left is not None
    assert left.strip() == text.strip()


def test_a_key_of_another_table_is_not_ours() -> None:
    assert KEY.take('[other]\ncommand = "perilune statusline --for kimi"\n', None) is None
    assert KEY.take('[status_line]\ncommand = "mine"\n', None) is None


def test_toml_that_cannot_be_read_or_would_not_be_is_refused() -> None:
    with pytest.raises(Unfit):
        KEY.put("[status_line\n")
    with pytest.raises(Unfit):
        KEY.put('status_line = { command = "x" }\n')


@given(before=st.text(alphabet="ab\n"), after=st.text(alphabet="ab\n"))
def test_a_block_comes_out_wherever_others_wrote(before: str, after: str) -> None:
    block = Block("# ours\nline\n")
    told, _ = block.put(before)
    assert block.put(told) == (told, None)
    left = block.take(told + after, None)
    assert left is not None
    assert left.rstrip("\n") == ((before + "\n" if before and not before.endswith("\n") else before) + after).rstrip(
        "\n"
    )


def test_a_whole_file_is_ours_until_somebody_writes_to_it() -> None:
    whole = Whole("ours\n")
    assert whole.put("theirs\n") == ("ours\n", "theirs\n")
    assert whole.take("ours\n", "theirs\n") == "theirs\n"
    assert whole.take("ours, edited\n", None) is None
