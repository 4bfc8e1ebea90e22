"""Pull requests served by `perilune up`: webhooks in, reviews and answers out, on the played forges."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perilune.sandbox import Line
from perilune.sandbox.forge import ForgeThread, Pull, Repository
from perilune.sandbox.forge.hooks import Hook, Sent

BOT = "perilune-bot"
SECRET = "hook-secret-EXAMPLE"
CONFIG = """
schema = 1

[[accounts]]
name = "main"
plan = "moonshot"
region = "cn"
key = "env:MOONSHOT_TEST_KEY"

[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{ account = "main", model = "kimi-k2.6" }]

[review]
"""
FORGE = """
[[forges]]
name = "{name}"
forge = "{name}"
base_url = "{url}/{name}"
token = "env:FORGE_TOKEN"
webhook_secret = "env:FORGE_HOOK"
"""
OPENED = {"github": "opened", "gitlab": "open", "gitea": "opened"}
WAIT_S = 60.0


class Played:
    """One repository with a pull request on one forge, whose webhooks reach the service."""

    def __init__(self, forges: ForgeThread, name: str) -> None:
        self.hooks = forges.app.hooks
        self.forge = forges.forges[name]  # type: ignore[index]
        self.author, self.reader = self.forge.user("ada"), self.forge.user("rex")
        self.bot = self.forge.user(BOT)
        self.repository: Repository = self.forge.repository("team/shop", {"ada": "write", BOT: "write", "rex": "read"})
        base = self.repository.bare.commit("refs/heads/main", {"a.txt": "one\n"}, "Begin")
        self.repository.bare.commit("refs/heads/topic", {"b.txt": "line 0 is wrong\n"}, "More", parent=base)
        self.pull: Pull = self.repository.open_pull(self.author, head="topic", title="Change things")

    def told(self) -> list[Sent]:
        return self.hooks.tell(self.forge, self.repository, self.pull, OPENED[self.forge.dialect])

    def push(self, number: int) -> str:
        """A commit that adds a line, told of by webhook."""
        with self.forge.lock:
            text = "".join(f"line {line} is wrong\n" for line in range(number + 1))
            self.repository.bare.commit("refs/heads/topic", {"b.txt": text}, "More", parent=self.pull.head)
            moved = self.repository.refresh()
        for pull, before in moved:
            self.hooks.pushed(self.forge, self.repository, pull, before)
        return self.pull.head

    def say(self, body: str, by: Any) -> int:
        """A comment, told of by webhook; its number."""
        with self.forge.lock:
            comment = self.forge.comment(by, body)
            self.pull.comments.append(comment)
        self.hooks.commented(self.forge, self.repository, self.pull, comment)
        return comment.id

    def reactions(self, number: int) -> list[str]:
        comment = next(one for one in self.pull.comments if one.id == number)
        return [word for _, word in comment.reactions]

    def answers(self) -> list[str]:
        return [one.body for one in self.pull.comments if one.author is self.bot and "perilune:summary" not in one.body]

    def is_reviewed(self, head: str) -> bool:
        return any(status.commit == head and status.state != "pending" for status in self.repository.statuses)


def until(what: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    limit = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.02)


def model(asked: Any) -> Line:
    """Finds every wrong line, and stands by it."""
    if is_check(asked):
        return Line(json={"verdicts": [_confirmed(block) for block in asked.text.split("\nid: ")[1:]]})
    shown = dict.fromkeys(re.findall(r"line \d+ is wrong", asked.text.rpartition("b.txt")[2]))
    found = [
        {"path": "b.txt", "side": "new", "quote": quote, "start_line": 0, "end_line": 0, "category": "bug",
         "severity": "high", "confidence": 90, "title": f"That {quote}", "body": "It says so.", "trigger": quote,
         "evidence": [], "suggestion": {"replace_quote": "", "replacement": ""}, "rule": ""}
        for quote in shown
    ]  # fmt: skip
    return Line(json={"findings": found, "files_reviewed": ["b.txt"]})


def is_check(asked: Any) -> bool:
    return "\nid: " in asked.text


def _confirmed(block: str) -> dict[str, str]:
    quote = next(line[2:] for line in block.split("\n") if line.startswith("> ") and line[2:].strip())
    return {
        "id": block.split("\n")[0], "verdict": "confirmed", "reason": "as shown", "evidence_quote": quote,
        "severity": "",
    }  # fmt: skip


@pytest.fixture
def forges(tmp_path: Path) -> Iterator[ForgeThread]:
    with ForgeThread(tmp_path / "forges") as played:
        yield played


@pytest.fixture
def serve(program: Any, sandbox: Any, start: Callable[..., Any], forges: ForgeThread) -> Callable[..., Any]:
    """Starts the service for some forges and gives their pull requests."""
    program.environment |= {
        "MOONSHOT_TEST_KEY": sandbox.world.accounts["moonshot-cn"].keys[0],
        "FORGE_TOKEN": f"token-of-{BOT}-EXAMPLE", "FORGE_HOOK": SECRET, "GIT_CONFIG_GLOBAL": "/dev/null",
    }  # fmt: skip
    sandbox.world.answer_with(model)

    def begin(*names: str, more: str = "settle_s = 0\n", repositories: str = "") -> tuple[Any, list[Played]]:
        tables = [FORGE.format(name=name, url=forges.url) + repositories for name in names]
        program.configure("\n".join([CONFIG + more, *tables]))
        played = [Played(forges, name) for name in names]
        service = start(program)
        for name in names:
            forges.app.hooks.register(Hook(dialect=name, url=f"{service.url}/hooks/{name}", secret=SECRET))  # type: ignore[arg-type]
        return service, played

    return begin


def test_a_webhook_leads_to_one_published_review_on_every_forge(serve: Callable[..., Any]) -> None:
    service, all_played = serve("github", "gitlab", "gitea")
    for played in all_played:
        [sent] = played.told()
        assert sent.status == 202
    for played in all_played:
        until(lambda played=played: played.is_reviewed(played.pull.head))
        assert [thread.path for thread in played.pull.threads] == ["b.txt"]
        assert sum("perilune:summary" in comment.body for comment in played.pull.comments) == 1
        assert played.forge.failures == []
    assert service.stop() == 0
    assert "Traceback" not in service.stderr


@pytest.mark.case("review R14.3")
@pytest.mark.case("review R14.4")
def test_pushes_settle_and_one_during_a_review_stops_it_and_reuses_its_answers(
    serve: Callable[..., Any], sandbox: Any
) -> None:
    asked: list[str] = []

    def slow(request: Any) -> Line:
        if is_check(request):
            return model(request)
        asked.append(request.text)
        return Line(json=model(request).json, first_content_s=3 if len(asked) == 1 else 0)

    sandbox.world.answer_with(slow)
    _, [played] = serve("gitea", more="settle_s = 2\n")
    heads = [played.push(number) for number in range(1, 4)]
    until(lambda: len(asked) == 1)
    assert "line 3 is wrong" in asked[0]
    last = played.push(4)
    until(lambda: played.is_reviewed(last))
    assert len(asked) == 2
    assert len(played.pull.reviews) == 1
    assert {review.commit for review in played.pull.reviews} == {last}
    assert not any(played.is_reviewed(head) for head in heads)


@pytest.mark.case("review R14.9")
def test_commands_are_for_those_who_may_write(serve: Callable[..., Any], sandbox: Any) -> None:
    asked: list[str] = []

    def counted(request: Any) -> Line:
        if not is_check(request):
            asked.append(request.text)
        return model(request)

    sandbox.world.answer_with(counted)
    _, [played] = serve("github")
    played.told()
    until(lambda: played.is_reviewed(played.pull.head))
    refused = played.say("@perilune review --force", played.reader)
    until(lambda: "confused" in played.reactions(refused))
    assert len(asked) == 1
    forced = played.say("@perilune review --force", played.author)
    until(lambda: "hooray" in played.reactions(forced))
    assert len(asked) == 2
    focused = played.say("@perilune review please --force", played.author)  # a focus: nothing is bought again
    until(lambda: "hooray" in played.reactions(focused))
    assert len(asked) == 2
    assert len(played.pull.threads) == 1

    for number, (words, answer) in enumerate(
        [
            ("review", "--force"),
            ("status", "Open findings: 1"),
            ("config", "max_inline"),
            ("help", "dismiss"),
            ("dance", "dismiss"),
        ]
    ):
        played.say(f"@perilune {words}", played.author)
        until(lambda number=number: len(played.answers()) == number + 1)
        assert answer in played.answers()[-1]

    paused = played.say("@perilune pause", played.author)
    until(lambda: "hooray" in played.reactions(paused))
    played.push(1)
    resumed = played.say("@perilune resume", played.author)
    until(lambda: "hooray" in played.reactions(resumed))
    head = played.push(2)
    until(lambda: played.is_reviewed(head))


def test_what_was_opened_while_nobody_listened_is_listed_at_the_start(serve: Callable[..., Any]) -> None:
    _, [played] = serve("gitlab", repositories='repositories = ["team/shop"]\n')
    until(lambda: played.is_reviewed(played.pull.head))
    assert [thread.path for thread in played.pull.threads] == ["b.txt"]


def test_without_webhooks_new_heads_are_polled_for_with_etags(serve: Callable[..., Any]) -> None:
    more = "settle_s = 0\n[review.poll]\nenabled = true\nevery_s = 1\n"
    _, [played] = serve("github", more=more, repositories='repositories = ["team/shop"]\n')
    until(lambda: played.is_reviewed(played.pull.head))
    lists = lambda: [entry.status for entry in played.forge.journal.select("GET", "/repos/team/shop/pulls")]  # noqa: E731
    until(lambda: 304 in lists())
    with played.forge.lock:
        played.repository.bare.commit("refs/heads/topic", {"c.txt": "more\n"}, "More", parent=played.pull.head)
        played.repository.refresh()
    until(lambda: played.is_reviewed(played.pull.head))
    assert len(played.pull.threads) == 1
