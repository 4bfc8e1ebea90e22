"""The unmodified openai and anthropic packages against the running service: three surfaces, streamed and not."""

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

ANSWER = "PONG from sandbox"
QUESTION = [{"role": "user", "content": "ping"}]

CONFIG = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"

[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
key = "env:TEST_CI_KEY"

[[accounts]]
name = "dead"
plan = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
key = "env:TEST_CI_KEY"

[gateway]
first_content_timeout_s = 2
allow_private = ["127.0.0.1:9"]

[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{first}, {second}]
"""
WORK = '{ account = "work", model = "kimi-for-coding" }'
CI = '{ account = "ci", model = "kimi-k2.6" }'
DEAD = '{ account = "dead", model = "any" }'


def chat(url: str, *, stream: bool) -> tuple[str, Any]:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
    with client:
        raw = client.chat.completions.with_raw_response.create(model="kimi", messages=QUESTION, stream=stream)  # type: ignore[call-overload]
        parsed = raw.parse()
        if not stream:
            return parsed.choices[0].message.content, raw.headers
        pieces = [chunk.choices[0].delta.content or "" for chunk in parsed if chunk.choices]
        return "".join(pieces), raw.headers


def responses(url: str, *, stream: bool) -> tuple[str, Any]:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
    with client:
        raw = client.responses.with_raw_response.create(model="kimi", input="ping", stream=stream)  # type: ignore[call-overload]
        parsed = raw.parse()
        if not stream:
            return parsed.output_text, raw.headers
        events = list(parsed)
        assert events[-1].type == "response.completed"
        return "".join(event.delta for event in events if event.type == "response.output_text.delta"), raw.headers


def messages(url: str, *, stream: bool) -> tuple[str, Any]:
    client = anthropic.Anthropic(base_url=url, auth_token="x", max_retries=0)
    with client:
        raw = client.messages.with_raw_response.create(model="kimi", max_tokens=1024, messages=QUESTION, stream=stream)  # type: ignore[call-overload]
        parsed = raw.parse()
        if not stream:
            return "".join(block.text for block in parsed.content if block.type == "text"), raw.headers
        pieces = [
            event.delta.text
            for event in parsed
            if event.type == "content_block_delta" and event.delta.type == "text_delta"
        ]
        return "".join(pieces), raw.headers


SURFACES = {"chat": chat, "responses": responses, "messages": messages}


def keys(sandbox: Any) -> dict[str, str]:
    accounts = sandbox.world.accounts
    return {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-intl"].keys[0]}


def configured(first: str, second: str) -> str:
    return CONFIG.replace("{first}", first).replace("{second}", second)


@pytest.mark.parametrize(("main", "fallback", "account"), [(WORK, CI, "work"), (CI, WORK, "ci")])
def test_the_sdks_get_whole_answers_on_all_surfaces(
    program: Any, sandbox: Any, start: Callable[..., Any], main: str, fallback: str, account: str
) -> None:
    program.configure(configured(main, fallback))
    service = start(program, **keys(sandbox))
    for name, ask in SURFACES.items():
        for stream in (False, True):
            text, headers = ask(service.url, stream=stream)
            assert text == ANSWER, (name, stream)
            assert headers["x-perilune-account"] == account
            assert headers["x-perilune-attempts"] == "1"
            assert headers["x-perilune-request-id"]
            assert headers["x-perilune-route"] == "default"
    assert service.stop() == 0


REFUSALS = {
    "quota 403": (WORK, CI, {"refusal": "code-err-403-5hour"}, 2),
    "balance 429": (CI, WORK, {"refusal": "dev-err-429-balance-suspended"}, 2),
    "402": (WORK, CI, {"refusal": "code-err-402-membership"}, 2),
    "plain 429": (CI, WORK, {"refusal": "dev-err-429-rpm", "retry_after": "none", "wait_s": 60}, 2),
    "500": (CI, WORK, {"refusal": "dev-err-500-unexpected"}, 3),
    "connect failure": (DEAD, WORK, {}, 2),
    "hang": (CI, WORK, {"hold": "content"}, 2),
}
HOSTS = {WORK: "api.kimi.com", CI: "api.moonshot.ai", DEAD: "nowhere.example"}


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_refusing_main_account_is_left_for_the_fallback(
    program: Any, sandbox: Any, start: Callable[..., Any], kind: str, surface: str, stream: bool
) -> None:
    main, fallback, fault, attempts = REFUSALS[kind]
    program.configure(configured(main, fallback))
    service = start(program, **keys(sandbox))
    sandbox.world.queue_fault(host=HOSTS[main], method="POST", count=None, **fault)
    try:
        text, headers = SURFACES[surface](service.url, stream=stream)
    finally:
        sandbox.world.release()
    assert text == ANSWER
    assert headers["x-perilune-attempts"] == str(attempts)
    assert headers["x-perilune-account"] == ("ci" if fallback == CI else "work")
    assert service.stop() == 0
    rows = attempt_rows(program)
    assert len(rows) == attempts
    assert [row["outcome"] for row in rows][-1] == "ok"
    assert "ok" not in [row["outcome"] for row in rows][:-1]


def attempt_rows(program: Any) -> list[dict[str, Any]]:
    import sqlite3

    with sqlite3.connect(program.home / "perilune.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM attempts WHERE was_sent = 1 ORDER BY number").fetchall()
    return [dict(row) for row in rows]
