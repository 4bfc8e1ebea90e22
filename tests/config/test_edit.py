"""Edits that touch nothing else."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.config.edit import append_table, set_value, unset
from perilune.config.toml_text import toml_value
from perilune.core.errors import ConfigError

TEXT = """# my settings
schema = 1   # version

# the one at work
[[accounts]]
name = "work"  # mine
plan = "kimi-code"

[gateway]
# where it listens
listen = "127.0.0.1:8787"    # loopback

[[gateway.routes]]
name = "default"
slots = [ { account = "work" }, { account = "ci" } ]
"""


def test_a_value_is_replaced_in_place() -> None:
    assert set_value(TEXT, ("gateway", "listen"), "[::1]:9") == TEXT.replace('"127.0.0.1:8787"', '"[::1]:9"')


def test_a_new_key_goes_to_the_end_of_its_table() -> None:
    after = set_value(TEXT, ("gateway", "queue_max"), 7)
    assert after == TEXT.replace("# loopback\n", "# loopback\nqueue_max = 7\n")


def test_a_new_table_goes_to_the_end() -> None:
    assert set_value(TEXT, ("review", "budget", "max_requests"), 3) == TEXT + "\n[review.budget]\nmax_requests = 3\n"


def test_a_key_inside_an_inline_table_is_set_and_unset() -> None:
    path = ("gateway", "routes", 0, "slots", 1, "model")
    after = set_value(TEXT, path, "k")
    assert '{ account = "ci", model = "k" }' in after
    assert unset(after, path) == TEXT


def test_an_account_is_appended_and_removed_again() -> None:
    after = append_table(TEXT, ("accounts",), {"name": "ci", "plan": "moonshot"})
    assert after.startswith(TEXT)
    assert tomllib.loads(after)["accounts"][1] == {"name": "ci", "plan": "moonshot"}
    assert unset(after, ("accounts", 1)).rstrip("\n") == TEXT.rstrip("\n")


def test_an_account_is_appended_to_an_inline_list() -> None:
    text = 'accounts = [{ name = "a", plan = "p" }]\n'
    after = append_table(text, ("accounts",), {"name": "b"})
    assert after == 'accounts = [{ name = "a", plan = "p" }, { name = "b" }]\n'
    assert unset(after, ("accounts", 0)) == 'accounts = [{ name = "b" }]\n'


def test_a_tuple_is_a_list() -> None:
    assert set_value("schema = 1\n", ("probe", "hosts"), ("a",)) == 'schema = 1\n\n[probe]\nhosts = ["a"]\n'


def test_dotted_keys_stay_dotted() -> None:
    after = set_value('gateway.listen = "a:1"\n', ("gateway", "queue_max"), 2)
    assert after == 'gateway.listen = "a:1"\ngateway.queue_max = 2\n'


def test_what_is_not_there_is_unset_without_a_change() -> None:
    assert unset(TEXT, ("gateway", "queue_max")) == TEXT
    assert unset(TEXT, ("accounts", 7)) == TEXT


def test_a_text_without_a_last_newline_gets_one_where_needed() -> None:
    assert set_value("[gateway]", ("gateway", "queue_max"), 1) == "[gateway]\nqueue_max = 1\n"


def test_an_empty_file_takes_an_account() -> None:
    assert append_table("schema = 1\n", ("accounts",), {"name": "a"}) == 'schema = 1\n\n[[accounts]]\nname = "a"\n'


def test_an_edit_that_cannot_be_made_alone_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        set_value("[a]\nb = 1\n", ("a", "b", "c"), 1)
    assert caught.value.problem.variant == "unwritable"


_KEYS = st.sampled_from(["a", "b", "name", "list en", 'q"', "x.y", "键"])
_SCALARS = st.one_of(st.text(max_size=8), st.integers(-9, 9), st.booleans(), st.just(0.5))
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=6,
)
_TABLES = st.dictionaries(_KEYS, _VALUES, max_size=4)


def _text_of(data: dict[str, dict[str, Any]]) -> str:
    """A text of tables with comments and odd blanks."""
    lines = ["# top", ""]
    for name, table in data.items():
        lines.append(f"[{toml_value(name)}]   # {name!a} ] \" = '")
        lines += [f"{toml_value(key)}  =  {toml_value(value)} # note" for key, value in table.items()]
        lines.append("")
    return "\n".join(lines) + "\n"


@given(st.dictionaries(_KEYS, _TABLES, min_size=1, max_size=4), _KEYS, _KEYS, _VALUES)
def test_any_value_set_reads_back_and_everything_else_stays(
    data: dict[str, dict[str, Any]], table: str, key: str, value: Any
) -> None:
    text = _text_of(data)
    after = set_value(text, (table, key), value)
    wanted = {name: dict(content) for name, content in data.items()}
    wanted.setdefault(table, {})[key] = value
    assert tomllib.loads(after) == wanted
    before_lines, after_lines = text.split("\n"), after.split("\n")
    changed = [line for line in before_lines if line not in after_lines]
    assert len(changed) <= 1
    assert unset(after, (table, key)).count("# note") == text.count("# note") - (key in data.get(table, {}))


@given(st.dictionaries(_KEYS, _TABLES, min_size=1, max_size=4))
def test_setting_what_is_there_changes_nothing(data: dict[str, dict[str, Any]]) -> None:
    text = _text_of(data)
    for table, content in data.items():
        for key, value in content.items():
            assert set_value(text, (table, key), value) == text
