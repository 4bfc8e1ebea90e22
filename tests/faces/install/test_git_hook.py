"""`perilune install git-hook`: the hook reviews what is pushed, calls the one before it, and lets go when it cannot."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Installs = Callable[..., Any]
PROGRAM = '#!/bin/sh\necho "$@" >> "$SEEN"\nexit "${ANSWER:-0}"\n'


class Checkout:
    """A repository with a remote, and a stand-in for the program that notes how it was called."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "work"
        self.seen = folder / "seen"
        self.environment = os.environ | {
            "SEEN": str(self.seen), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }  # fmt: skip
        (folder / "bin").mkdir()
        (folder / "bin" / "perilune").write_text(PROGRAM)
        (folder / "bin" / "perilune").chmod(0o755)
        self.run("init", "-q", "--bare", str(folder / "remote.git"), at=folder)
        self.run("init", "-q", "-b", "main", str(self.root), at=folder)
        self.run("remote", "add", "origin", str(folder / "remote.git"))
        self.commit("base")
        self.run("push", "-q", "origin", "main")

    def run(self, *arguments: str, at: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment | variables
        return subprocess.run(
            ["git", *arguments], cwd=at or self.root, env=environment, capture_output=True, text=True, check=False
        )

    def commit(self, name: str) -> str:
        (self.root / f"{name}.txt").write_text(name)
        self.run("add", "-A")
        self.run("commit", "-q", "-m", name)
        return self.run("rev-parse", "HEAD").stdout.strip()

    @property
    def calls(self) -> list[str]:
        return self.seen.read_text().splitlines() if self.seen.exists() else []


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    found = Checkout(tmp_path)
    monkeypatch.chdir(found.root)
    return found


def test_a_push_is_reviewed_from_what_the_remote_has(installs: Installs, checkout: Checkout) -> None:
    shown = installs("git-hook", "--dry-run", "--yes")
    assert shown.status == 0
    assert "perilune install git-hook --pre-push --fail-on high --yes" in shown.out
    assert not (checkout.root / ".git" / "hooks" / "pre-push").exists()
    assert installs("git-hook", "--yes").status == 0
    base = checkout.run("rev-parse", "HEAD").stdout.strip()
    head = checkout.commit("more")
    assert checkout.run("push", "-q", "origin", "main").returncode == 0
    checkout.run("checkout", "-q", "-b", "topic")
    topic = checkout.commit("topic")
    assert checkout.run("push", "-q", "origin", "topic").returncode == 0
    assert checkout.calls == [
        f"review --range {base}..{head} --fail-on high",
        f"review --range {head}..{topic} --fail-on high",
    ]


@pytest.mark.parametrize(
    ("answer", "strict", "goes_on"), [(1, False, False), (5, False, True), (69, False, True), (69, True, False)]
)
def test_findings_stop_a_push_and_a_missing_key_does_not(
    installs: Installs, checkout: Checkout, answer: int, strict: bool, goes_on: bool
) -> None:
    assert installs("git-hook", "--yes", *["--strict"] * strict).status == 0
    checkout.commit("more")
    done = checkout.run("push", "-q", "origin", "main", ANSWER=str(answer))
    assert (done.returncode == 0) is goes_on
    assert (f"perilune: not reviewed (exit {answer})" in done.stderr) is (answer != 1)
    assert checkout.run("push", "-q", "origin", "main", ANSWER="1", PERILUNE_SKIP_HOOK="1").returncode == 0


def test_a_hook_that_was_there_is_called_first_and_comes_back(installs: Installs, checkout: Checkout) -> None:
    hook = checkout.root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    theirs = '#!/bin/sh\necho "theirs $1 $(cat | wc -l)" >> "$SEEN"\n'
    hook.write_text(theirs)
    hook.chmod(0o755)
    assert installs("git-hook", "--yes").status == 0
    assert installs("git-hook", "--yes").status == 0
    checkout.commit("more")
    assert checkout.run("push", "-q", "origin", "main").returncode == 0
    assert [call.split()[0] for call in checkout.calls] == ["theirs", "review"]
    assert checkout.calls[0].split() == ["theirs", "origin", "1"]
    assert installs("git-hook", "--undo").status == 0
    assert hook.read_text() == theirs
    assert not hook.with_name("pre-push.before-perilune").exists()


def test_a_commit_is_reviewed_as_it_is_staged(installs: Installs, checkout: Checkout) -> None:
    assert installs("git-hook", "--pre-commit", "--fail-on", "critical", "--yes").status == 0
    checkout.commit("more")
    assert checkout.calls == ["review --staged --fail-on critical"]


def test_outside_of_a_repository_it_says_so(
    installs: Installs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert installs("git-hook").status == 2
