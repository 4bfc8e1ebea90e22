"""A key pasted on the page: the same words and the same single reading as on the command line."""

import os

import pytest

from perilune.compose.adding import add_key
from perilune.compose.stack import Stack
from perilune.compose.workbench import Workbench
from perilune.faces.api.hub import Hub
from perilune.sandbox import SandboxThread

KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"
NOBODYS = "sk-EXAMPLE0nobody0000000000000000000000000001"


async def test_the_page_shows_what_the_accepting_host_answered_without_asking_again(sandbox: SandboxThread) -> None:
    stack = Stack(Workbench(dict(os.environ)), Hub(), listen=lambda: "127.0.0.1:0")
    await stack.start()
    try:
        added = await stack.live.add_key(f'"{KIMI_CN}"\n')
        [route] = (await stack.live.routes("en")).routes
    finally:
        await stack.stop(0)
    assert added.problem is None
    assert added.account is not None
    assert (added.account.plan_title, added.account.fetched_at is not None) == ("Allegretto", True)
    assert added.removed == ["a pair of quotes and 1 line break"]
    assert [slot.state for slot in route.slots] == ["untested"]
    asked = [entry.path for entry in sandbox.world.journal.select(host="api.kimi.com")]
    assert sorted(asked) == ["/coding/v1/me", "/coding/v1/models", "/coding/v1/usages"]


@pytest.mark.parametrize(
    ("paste", "code"),
    [("", "PL-401-SHAPE"), (NOBODYS, "PL-401-ALL"), ("sk-ant-EXAMPLE0000000000000000", "PL-ADD-FOREIGN")],
)
def test_a_key_that_becomes_no_account_says_why(sandbox: SandboxThread, paste: str, code: str) -> None:
    bench = Workbench(dict(os.environ))
    added = add_key(bench, paste)
    assert (added.name, added.problem and added.problem.code) == (None, code)
    assert bench.configuration().config.accounts == ()


def test_a_key_that_nobody_can_be_asked_about_is_not_sent(sandbox: SandboxThread) -> None:
    added = add_key(Workbench(dict(os.environ)), "EXAMPLE0of0no0known0kind00000000")
    assert added.problem is not None
    assert added.problem.code == "PL-ADD-FOREIGN"
    assert sandbox.world.journal.select() == []
