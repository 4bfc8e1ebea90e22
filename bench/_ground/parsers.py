"""Every parser of foreign data, as a function of bytes that may only end well or with the error it promises."""

# ruff: noqa: E501, ISC004 -- samples stand on one line, as they are sent

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from perilune.config.load import parse as parse_config
from perilune.core.errors import PeriluneError
from perilune.core.secret import Secret
from perilune.dialects.content import Relay
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.dialects.sse import SseParser
from perilune.dialects.stream import StreamTranslator
from perilune.dialects.target import Context, Frame
from perilune.dialects.translate import parse_answer, parse_request
from perilune.forges.contract.hooks import Delivery
from perilune.forges.gitea.hooks import GiteaHooks
from perilune.forges.github.hooks import GitHubHooks
from perilune.forges.gitlab.hooks import GitLabHooks
from perilune.net.control import ControlAnswer
from perilune.patches.parse import parse_patch
from perilune.patches.raw import RawUnreadableError, parse_raw
from perilune.providers.contract.classify import classify
from perilune.providers.contract.outcome import Answered
from perilune.providers.contract.reading import Binding, reader_of
from perilune.providers.contract.registry import plan
from perilune.providers.kimi_code.errors import classify as kimi_code
from perilune.providers.moonshot.errors import classify as moonshot
from perilune.providers.openrouter.errors import classify as openrouter

_ROOT = Path(__file__).resolve().parents[2]
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_WORD = "EXAMPLE-hook-word"
_KEY = "sk-kimi-EXAMPLE0fuzz000000000000000000000001"
_FRAME = Frame(seal=None, created=1)


class Parser(NamedTuple):
    """One family: what it is fed with at first, and what takes it. `take` raises only what is a fault."""

    name: str
    share: float
    samples: list[bytes]
    take: Callable[[bytes, random.Random], None]


def parsers() -> Iterator[Parser]:
    """All of them, with their shares of the inputs."""
    answers = [_body(document) for document in _contracts() if "body" in document.get("response", {})]
    streams = [one for one in answers if b"data: " in one] + [_STREAM]
    whole = [one for one in answers if b"data: " not in one]
    yield Parser("vendors' readings", 0.2, whole, _reading)
    yield Parser("vendors' refusals", 0.2, whole, _refusal)
    yield Parser("models' answers", 0.15, whole, _answer)
    yield Parser("event streams", 0.06, streams, _stream)
    yield Parser("clients' requests", 0.12, _REQUESTS, _request)
    yield Parser("diffs", 0.15, _DIFFS, _diff)
    yield Parser("configuration", 0.06, _CONFIGURATIONS, _configuration)
    yield Parser("webhooks", 0.06, _HOOKS, _hook)


def _contracts() -> Iterator[dict[str, Any]]:
    for file in sorted((_ROOT / "tests" / "contracts").glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(document, dict) and isinstance(document.get("response"), dict):
            yield document


def _body(document: dict[str, Any]) -> bytes:
    body = document["response"]["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _reading(data: bytes, chance: random.Random) -> None:
    plan_id, region = chance.choice((("kimi-code", "cn"), ("moonshot", "cn"), ("openrouter", "global")))
    bought, reader = plan(plan_id), reader_of(plan_id)
    place = bought.region(region) if bought is not None else None
    if bought is None or place is None or reader is None:
        raise AssertionError(f"{plan_id} cannot be read")
    bound = Binding(account="work", plan=bought, region=place, secret=Secret(_KEY), salt=b"salt")
    headers = {"content-type": chance.choice(("application/json", "text/html", ""))}
    status = chance.choice((200, 200, 200, 201, 401, 404, 429, 500))
    url = reader.read_url(bound)
    answer = ControlAnswer(url=url, status=status, headers=headers, body=data, took_ms=0, server_date=None)
    try:
        snapshot = reader.understood(bound, answer, _NOW)
    except PeriluneError:
        return
    for window in snapshot.windows:
        if window.used_ratio is not None and not (window.used_ratio.is_finite() and window.used_ratio >= 0):
            raise AssertionError(f"a window is used {window.used_ratio}")


def _refusal(data: bytes, chance: random.Random) -> None:
    classifier = chance.choice((kimi_code, moonshot, openrouter, None))
    answered = Answered(
        status=chance.choice((None, 200, 302, 400, 401, 402, 403, 404, 408, 413, 429, 499, 500, 529, 999)),
        headers={"retry-after": chance.choice(("1", "soon", "-3", "9" * 400, "", "1e400", "nan"))},
        body=data[:65_536],
        surface=chance.choice(("chat", "messages", "responses")),
        in_flight=chance.randrange(40),
        cap=chance.choice((None, 30)),
    )
    classify(classifier, answered, _NOW)


def _answer(data: bytes, chance: random.Random) -> None:
    try:
        parse_answer(chance.choice(list(Dialect)), data)
    except PeriluneError:
        return


def _stream(data: bytes, chance: random.Random) -> None:
    upstream, client = chance.choice(list(Dialect)), chance.choice(list(Dialect))
    size = chance.choice((1, 3, 17, 256, 1_000_000)) if len(data) < 600 else chance.choice((256, 1_000_000))
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    cut, whole = SseParser(), SseParser()
    found = [event for piece in pieces for event in cut.feed(piece)]
    if found != whole.feed(data):
        raise AssertionError("other events from the same bytes")
    relay = Relay(upstream)
    out = b"".join([relay.feed(piece) for piece in pieces])
    if not data.startswith(out):
        raise AssertionError("something is relayed that was not said")
    relay.end()
    translator = StreamTranslator(Context(client=client, upstream=upstream), _FRAME)
    for piece in pieces:
        translator.feed(piece)
    translator.end()


def _request(data: bytes, chance: random.Random) -> None:
    try:
        Body(data)
        parse_request(chance.choice(list(Dialect)), data)
    except PeriluneError:
        return


def _diff(data: bytes, chance: random.Random) -> None:
    for file in parse_patch(data).files:
        for hunk in file.hunks:
            for line in hunk.lines:
                if line.data not in data:
                    raise AssertionError("a line that the input does not have")
    try:
        parse_raw(data)
    except RawUnreadableError:
        return


def _configuration(data: bytes, _chance: random.Random) -> None:
    try:
        parse_config(data.decode("utf-8", errors="replace"), "config.toml")
    except PeriluneError:
        return


def _hook(data: bytes, chance: random.Random) -> None:
    signature = hmac.new(_WORD.encode(), data, hashlib.sha256).hexdigest()
    event = chance.choice(
        ("pull_request", "issue_comment", "pull_request_review_thread", "Note Hook", "Merge Request Hook", "x")
    )
    headers = {
        "x-hub-signature-256": f"sha256={signature}",
        "x-gitea-signature": signature,
        "x-gitlab-token": _WORD,
        "x-github-event": event,
        "x-gitea-event": event,
        "x-gitlab-event": event,
        "content-type": chance.choice(("application/json", "application/x-www-form-urlencoded")),
    }
    for reader in (GitHubHooks(), GitLabHooks(), GiteaHooks()):
        delivery = reader.verify(headers, data, [_WORD], _NOW)
        if isinstance(delivery, Delivery):
            reader.read(delivery)


_STREAM = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"k","usage":{"input_tokens":3}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
_REQUESTS = [
    json.dumps(one).encode()
    for one in (
        {"model": "k", "messages": [{"role": "user", "content": "x"}], "stream": True, "temperature": 1},
        {"model": "k", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]},
        {"model": "k", "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}]},
        {"model": "k", "max_tokens": 5, "system": "s", "thinking": {"type": "enabled", "budget_tokens": 1024},
         "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "r"}]}]},
        {"model": "k", "messages": [{"role": "assistant", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "r"}], "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
    )
]  # fmt: skip
_DIFFS = [
    b"diff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,4 @@ def f():\n a\n-b\n+c\n+d\n e\n",
    b"diff --git a/old b/new\nsimilarity index 90%\nrename from old\nrename to new\n--- a/old\n+++ b/new\n@@ -1 +1 @@\n-a\n+b\n"
    b"\\ No newline at end of file\n",
    b"diff --git a/i.png b/i.png\nnew file mode 100644\nindex 0..1\nGIT binary patch\nliteral 4\nLc$$~$zx\n\nliteral 0\nHcmV?d00001\n\n",
    b":100644 100644 1111111 2222222 M\0x.py\0:100644 100644 1 2 R090\0a\0b\0001\t2\tx.py\0",
    b"--- a/x\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n",
]
_CONFIGURATIONS = [
    b'schema = 1\n[[accounts]]\nname = "work"\nplan = "kimi-code"\nregion = "cn"\nkey = "env:K"\n\n[gateway]\nlisten = "127.0.0.1:1"\n'
    b'drain_s = 3\n[[gateway.routes]]\nname = "r"\nmatch = ["*"]\nslots = [{ account = "work", model = "k" }]\n',
    b'schema = 1\n[monitor]\ninterval_s = 300\n[history]\nraw_days = 56\n[review]\nseverity = "medium"\n',
]
_HOOKS = [
    json.dumps(one).encode()
    for one in (
        {"action": "opened", "number": 5, "repository": {"full_name": "a/b"}, "sender": {"login": "x", "id": 5},
         "pull_request": {"number": 5, "head": {"sha": "a" * 40, "repo": {"full_name": "a/b"}}, "base": {"ref": "main"},
                          "title": "t", "state": "open", "draft": False, "labels": [{"name": "l"}], "user": {"login": "x"}}},
        {"action": "created", "issue": {"number": 5, "pull_request": {}}, "repository": {"full_name": "a/b"},
         "comment": {"id": 7, "body": "/perilune review", "user": {"login": "x"}}, "sender": {"login": "x"}},
        {"object_kind": "merge_request", "user": {"username": "x", "id": 1}, "project": {"path_with_namespace": "a/b", "id": 1},
         "object_attributes": {"iid": 5, "action": "open", "last_commit": {"id": "a" * 40}, "target_branch": "main",
                               "title": "t", "state": "opened", "source_project_id": 1, "target_project_id": 1}, "labels": []},
        {"object_kind": "note", "user": {"username": "x"}, "project": {"path_with_namespace": "a/b"}, "merge_request": {"iid": 5},
         "object_attributes": {"id": 9, "note": "/perilune review", "noteable_type": "MergeRequest", "discussion_id": "d"}},
    )
]  # fmt: skip
