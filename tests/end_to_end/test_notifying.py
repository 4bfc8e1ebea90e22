"""The service tells people: by every channel that is configured, once, over a kill too."""

import json
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from tests.support.receiver import Receiver, receiver

CONFIG = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"

[[accounts]]
name = "ci"
plan = "moonshot"
region = "cn"
key = "env:TEST_CI_KEY"

[alerts]
early = false

[gateway]
allow_private = ["127.0.0.1"]

[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{{ account = "work", model = "kimi-for-coding" }}, {{ account = "ci", model = "kimi-k2.6" }}]

[[notify]]
name = "hook"
channel = "webhook"
url = "{url}"
secret = "env:TEST_HOOK_SECRET"
events = ["all", "upstream"]
{more}"""
DESKTOP = """
[[notify]]
name = "desk"
channel = "desktop"
events = ["spent"]

[[notify]]
name = "own"
channel = "exec"
command = ["{program}"]
events = ["failover"]
"""
TELLER = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], sys.stdin.read()]) + "\\n")
"""


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def keys_of(sandbox: Any) -> dict[str, str]:
    accounts = sandbox.world.accounts
    keys = {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-cn"].keys[0]}
    return keys | {"TEST_HOOK_SECRET": "whsec-EXAMPLE", "LC_ALL": "C.UTF-8"}


def use(sandbox: Any, ratio: str) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": Decimal(200) * Decimal(ratio), "resets_in_s": 9_000}})


def read_now(url: str) -> None:
    """Press "refresh" on the page, as a browser does."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(f"{url}/", timeout=20) as page:
        found = re.search(r'name="csrf" value="([^"]+)"', page.read().decode())
    assert found is not None
    with browser.open(f"{url}/refresh", urllib.parse.urlencode({"csrf": found[1]}).encode(), timeout=30) as answer:
        answer.read()


def used_ratio(url: str) -> float | None:
    with urllib.request.urlopen(f"{url}/api/v1/status", timeout=20) as answer:
        accounts = json.loads(answer.read())["accounts"]
    windows = {window["id"]: window["used_ratio"] for window in accounts[0]["windows"]}
    ratio = windows.get("5h")
    return None if ratio is None else float(ratio)


def soon(holds: Callable[[], Any]) -> Any:
    given_up = time.monotonic() + 30
    while not (found := holds()):
        assert time.monotonic() < given_up
        time.sleep(0.02)
    return found


def ask(url: str) -> int:
    body = {"model": "kimi", "max_tokens": 64, "messages": [{"role": "user", "content": "ping"}]}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)


@pytest.mark.case("accounts 11.5")
def test_a_killed_service_repeats_nothing_and_forgets_nothing(
    program: Any, sandbox: Any, start: Callable[..., Any], hook: Receiver
) -> None:
    program.configure(CONFIG.format(url=hook.url, more=""))
    use(sandbox, "0.60")
    service = start(program, **keys_of(sandbox))
    soon(lambda: used_ratio(service.url) == 0.6)
    use(sandbox, "0.93")
    read_now(service.url)
    hook.wait_for("window_90")
    service.process.kill()
    service.process.wait()

    service = start(program, **keys_of(sandbox))
    read_now(service.url)
    assert used_ratio(service.url) == 0.93
    service.process.kill()
    service.process.wait()
    use(sandbox, "1.0")

    service = start(program, **keys_of(sandbox))
    read_now(service.url)
    hook.wait_for("spent")
    use(sandbox, "0.01")
    read_now(service.url)
    hook.wait_for("back")
    assert service.stop() == 0
    assert hook.events == ["window_90", "spent", "back"]
    assert hook.got[1]["text"].endswith("Requests go to ci (pay per token).")
    assert len({document["id"] for document in hook.got}) == 3


def test_a_refusal_is_told_at_once_on_every_channel_that_wants_it(
    program: Any, sandbox: Any, start: Callable[..., Any], hook: Receiver, tmp_path: Path
) -> None:
    tools, log = tmp_path / "tools", tmp_path / "calls"
    tools.mkdir()
    for name in ("notify-send", "own"):
        file = tools / name
        file.write_text(TELLER.format(python=sys.executable, log=str(log)))
        file.chmod(0o700)
    program.configure(CONFIG.format(url=hook.url, more=DESKTOP.format(program=tools / "own")))
    use(sandbox, "0.60")
    screen = {"PATH": f"{tools}:{program.environment['PATH']}", "DISPLAY": ":0"}
    service = start(program, **keys_of(sandbox), **screen)
    soon(lambda: used_ratio(service.url) == 0.6)
    use(sandbox, "1.0")
    assert ask(service.url) == 200
    hook.wait_for("spent", "failover")
    calls = soon(lambda: log.exists() and len(found := log.read_text().splitlines()) == 2 and found)
    told = [json.loads(line) for line in calls]
    shown = next(argv for argv, stdin in told if argv)
    given = next(stdin for argv, stdin in told if not argv)
    assert shown[-2] == "Perilune"
    assert "work 5 h is spent until" in shown[-1]
    assert json.loads(given)["text"] == "default: work → ci (PL-QUOTA-5H)."
    assert service.stop() == 0
    assert sorted(hook.events) == ["failover", "spent"]
    assert all(header["x-perilune-signature"].startswith("sha256=") for header in hook.headers)


def test_a_channel_that_fails_is_seen_and_gets_what_it_missed(
    program: Any, sandbox: Any, start: Callable[..., Any], hook: Receiver
) -> None:
    program.configure(CONFIG.format(url=hook.url, more=""))
    hook.status = 503
    done = program.run("notify", "test", "hook", **keys_of(sandbox))
    assert (done.returncode, "error[PL-NOTIFY]: hook (webhook) does not take messages: 503" in done.stderr) == (1, True)
    assert "x 503, " in program.run("notify", "list").stdout
    hook.status = 204
    done = program.run("notify", "test", "hook", **keys_of(sandbox))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "hook (webhook) took the test: 204")
    assert [document["test"] for document in hook.got] == [True, True]
    assert "ok " in program.run("notify", "list").stdout
