"""`perilune review` on real commits through the gateway: true quotes are placed, invented ones dropped and counted."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMITS = 3
INVENTED = "this_line_was_never_written(by_anybody)"


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def real_range() -> str:
    """The newest commits of this project's own history that change a few files and no more."""
    try:
        commits = git("rev-list", "--first-parent", "--no-merges", "-n", "60", "HEAD").split()
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("this is not a git checkout")
    for newest in commits[:-COMMITS]:
        base = f"{newest}~{COMMITS}"
        known = subprocess.run(["git", "rev-parse", "--verify", "-q", base], cwd=ROOT, capture_output=True, check=False)
        if known.returncode:
            continue
        changed = [line for line in git("diff", "--name-only", f"{base}...{newest}").splitlines() if line]
        if 3 <= len(changed) <= 40:
            return f"{base}..{newest}"
    pytest.skip("the history is too short here")


def lines_of_the_diff(range_: str) -> dict[str, set[int]]:
    """New-side line numbers that git's own diff shows, by path."""
    shown: dict[str, set[int]] = {}
    path, number = "", 0
    for line in git("diff", "-M", "--unified=3", range_.replace("..", "...")).split("\n"):
        if line.startswith("+++ "):
            path = line[6:]
        elif header := re.match(r"@@ -\d+(?:,\d+)? \+(\d+)", line):
            number = int(header[1])
        elif line[:1] in ("+", " "):
            shown.setdefault(path, set()).add(number)
            number += 1
    return shown


def true_quotes(prompt: str) -> Iterator[tuple[str, str]]:
    """A path and an added line of it, for each file that a prompt shows."""
    for block in re.split(r"(?m)^## ", prompt)[1:]:
        path = block.split(" (", 1)[0]
        added = re.findall(r"(?m)^\s*\d+ ?\+ ?(.*\S.*)$", block)
        longest = max(added, key=len, default="")
        if len(longest.strip()) >= 12:
            yield path, longest


def finding(path: str, quote: str) -> dict[str, Any]:
    return {
        "path": path, "side": "new", "quote": quote, "start_line": 1, "end_line": 1, "category": "bug",
        "severity": "high", "confidence": 90, "title": f"{path} is wrong", "body": "It fails.",
        "trigger": "always", "evidence": [], "suggestion": {"replace_quote": "", "replacement": ""}, "rule": "",
    }  # fmt: skip


def model(asked: Any) -> str | None:
    """Quotes one true line of each file, and invents a line and a path."""
    if '"verdict"' in asked.text and "\nid: " in asked.text:
        return None
    quoted = [finding(path, quote) for path, quote in true_quotes(asked.text)]
    invented = [finding(quoted[0]["path"] if quoted else "x", INVENTED), finding("no/such/file.py", INVENTED)]
    return json.dumps({"findings": [*quoted, *invented], "files_reviewed": []})


def test_every_finding_lies_on_the_diff_and_every_file_is_accounted_for(program: Any, sandbox: Any) -> None:
    range_ = real_range()
    key = sandbox.world.accounts["kimi-cn"].keys[0]
    assert program.run("add", "--stdin", stdin=key).returncode == 0
    sandbox.world.answer_with(model)
    program.environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
    done = subprocess.run(
        [*program.command, "review", "--range", range_, "--format", "json", "--effort", "low"],
        capture_output=True,
        text=True,
        timeout=120,
        env=program.environment,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    shown = lines_of_the_diff(range_)
    assert result["findings"], "the model's true quotes were placed"
    for found in result["findings"]:
        anchor = found["anchor"]
        assert anchor["level"] in ("line", "range")
        assert set(range(anchor["start_line"], anchor["end_line"] + 1)) <= shown[anchor["path"]]
        assert INVENTED not in json.dumps(found)
    dropped = {row["reason"]: row["count"] for row in result["dropped"]}
    assert dropped["unanchored"] >= 1
    assert dropped["wrong_path"] >= 1
    changed = set(git("diff", "-M", "--name-only", range_.replace("..", "...")).splitlines())
    covered = result["coverage"]
    assert {item["path"] for item in covered["items"]} == changed
    states = ("reviewed", "reused", "partial", "skipped", "failed")
    assert sum(covered[state] for state in states) == covered["files"] == len(changed)
