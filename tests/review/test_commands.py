"""Commands in comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.review.commands import Command, Verb, may_command, parse_command


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("@perilune review", Command(verb=Verb.REVIEW)),
        ("\n\n@Perilune REVIEW  ", Command(verb=Verb.REVIEW)),
        ("> @perilune stop\n\n@perilune review", Command(verb=Verb.REVIEW)),
        ("```\n@perilune stop\n```\n@perilune status", Command(verb=Verb.STATUS)),
        ("@perilune review --force", Command(verb=Verb.REVIEW, is_forced=True)),
        ("@perilune review --force the locks", Command(verb=Verb.REVIEW, is_forced=True, text="the locks")),
        ("@perilune review please --force", Command(verb=Verb.REVIEW, text="please --force")),
        ("@perilune review the\u202e locks\x07 only\nsecond line", Command(verb=Verb.REVIEW, text="the locks only")),
        ("@perilune dismiss not reachable", Command(verb=Verb.DISMISS, text="not reachable")),
        ("@perilune", Command(verb=Verb.HELP)),
        ("@perilune merge", Command(verb=Verb.UNKNOWN)),
        ("@perilune unknown", Command(verb=Verb.UNKNOWN)),
        ("@reviewer help", Command(verb=Verb.HELP)),
        ("Thanks @perilune review", None),
        ("Thanks\n@perilune review", None),
        ("    @perilune review", None),
        ("> @perilune review", None),
        ("`@perilune review`", None),
        ("@perilunes review", None),
        ("@perilune-x review", None),
        ("", None),
    ],
)
def test_a_command_stands_at_the_start_of_the_first_plain_line(body: str, expected: Command | None) -> None:
    assert parse_command(body, "reviewer") == expected


def test_a_focus_is_one_line_of_five_hundred_characters() -> None:
    command = parse_command("@perilune review " + "word " * 400)
    assert command is not None
    assert len(command.text) == 500


@given(st.text(max_size=200))
def test_any_comment_can_be_read(body: str) -> None:
    command = parse_command("@perilune " + body)
    assert command is None or "\n" not in command.text


@pytest.mark.parametrize(
    ("forge", "association", "permission", "may"),
    [
        ("github", "MEMBER", "write", True),
        ("github", "OWNER", "admin", True),
        ("github", "CONTRIBUTOR", "write", False),
        ("github", "MEMBER", "read", False),
        ("gitlab", "", "write", True),
        ("gitlab", "", "read", False),
        ("gitea", "", "none", False),
    ],
)
def test_only_those_who_may_write_give_commands(forge: str, association: str, permission: str, may: bool) -> None:
    assert may_command(forge, association, permission) is may  # type: ignore[arg-type]
