"""Positions in a TOML text."""

import tomllib

from perilune.config.layout import scan

TEXT = '''# head
schema = 1

[[accounts]]  # first
name = "a # not a comment"
key = 'vault:a'

[[accounts]]
name = """long
[[accounts]]
"""
plan = "p"

[gateway]
listen = "127.0.0.1:1" # where
"queue_max" = 5

[[gateway.routes]]
name = "default"
slots = [
  { account = "a", model = "m", override = { thinking = { type = "x" } } },
  # a comment with ] and "
  { account = "b" },
]
[review.budget]
max_requests = 3
'''


def test_every_key_has_its_line() -> None:
    layout = scan(TEXT)
    assert layout.line_of(("schema",)) == 2
    assert layout.line_of(("accounts", 0, "key")) == 6
    assert layout.line_of(("accounts", 1, "name")) == 9
    assert layout.line_of(("accounts", 1, "plan")) == 12
    assert layout.line_of(("gateway", "queue_max")) == 16
    assert layout.line_of(("gateway", "routes", 0, "slots", 1, "account")) == 23
    assert layout.line_of(("gateway", "routes", 0, "slots", 0, "override", "thinking", "type")) == 21
    assert layout.line_of(("review", "budget", "max_requests")) == 26


def test_a_key_that_is_not_there_has_the_line_of_what_holds_it() -> None:
    layout = scan(TEXT)
    assert layout.line_of(("accounts", 1, "region")) == 8
    assert layout.line_of(("nothing",)) is None


def test_values_are_found_exactly() -> None:
    layout = scan(TEXT)
    for path, span in layout.values.items():
        written = TEXT[span.value_start : span.value_end]
        value = tomllib.loads(TEXT)
        for step in path:
            value = value[step]
        assert tomllib.loads(f"x = {written}")["x"] == value
