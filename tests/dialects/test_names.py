"""Function names and call ids made fit, and back."""

import re

from hypothesis import given
from hypothesis import strategies as st

from perilune.dialects.names import MessagesIds, OrdinalIds, rename_functions

PATTERN = "^[a-zA-Z_][a-zA-Z0-9-_]{2,63}$"


def test_names_that_fit_are_left_alone() -> None:
    assert rename_functions(["Bash", "exec_command"], PATTERN) == {}
    assert rename_functions(["l s"], None) == {}


def test_names_are_renamed_by_the_rules() -> None:
    long = "a" * 70
    renamed = rename_functions(["ls", "a.b", "1st", "月", "ls_", long], PATTERN)
    assert renamed["ls"] == "ls__2"
    assert renamed["a.b"] == "a_b"
    assert renamed["1st"] == "_1st"
    assert renamed["月"] == "___"
    assert re.fullmatch("a{55}_[0-9a-f]{8}", renamed[long])
    assert "ls_" not in renamed


@given(st.lists(st.text(min_size=1, max_size=90), max_size=12))
def test_every_name_sent_fits_and_is_found_again(names: list[str]) -> None:
    renamed = rename_functions(names, PATTERN)
    sent = [renamed.get(name, name) for name in dict.fromkeys(names)]
    assert len(set(sent)) == len(sent)
    assert all(re.fullmatch(PATTERN, name) for name in sent)
    back = {there: here for here, there in renamed.items()}
    assert [back.get(name, name) for name in sent] == list(dict.fromkeys(names))


def test_ids_for_messages_keep_pairs_and_stay_apart() -> None:
    ids = MessagesIds()
    assert [ids.of_call("Bash:0"), ids.of_call("Bash_0")] == ["Bash_0", "Bash_0_2"]
    assert [ids.of_result("Bash:0"), ids.of_result("Bash_0")] == ["Bash_0", "Bash_0_2"]


def test_ordinal_ids_count_all_calls() -> None:
    ids = OrdinalIds()
    assert [ids.of_call("x", "Bash"), ids.of_call("y", "ls")] == ["Bash:0", "ls:1"]
    assert [ids.of_result("y"), ids.of_result("x"), ids.of_result("z")] == ["ls:1", "Bash:0", "z"]
