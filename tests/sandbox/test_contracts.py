"""Every contract sample: brought into the right state, the sandbox answers with the same shape and fixed words."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, ask_at

from perilune.sandbox import SandboxThread, World, keys
from perilune.sandbox.accounts import Membership

FOLDER = Path(__file__).parents[1] / "contracts"
SAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
EXCHANGES = sorted(name for name, sample in SAMPLES.items() if "request" in sample)
AGENT = {"User-Agent": "KimiCLI/1.49.0"}

HOSTS = {
    "developer": "api.moonshot.ai",
    "developer-anthropic": "api.moonshot.ai",
    "gateway-client": "api.moonshot.ai",
    "kimi-code": "api.kimi.com",
    "kimi-code-anthropic": "api.kimi.com",
}
KEYS = {
    "developer": keys.MOONSHOT_INTL,
    "developer-anthropic": keys.MOONSHOT_INTL,
    "gateway-client": keys.MOONSHOT_INTL,
    "kimi-code": keys.KIMI_CN,
    "kimi-code-anthropic": keys.KIMI_CN,
    "openrouter": keys.OPENROUTER,
    "legacy-kimi-k2.ai": keys.K2_RELAY,
    "deepseek": keys.DEEPSEEK,
    "siliconflow": keys.SILICONFLOW,
    "zai": keys.ZAI,
}
# words that are claims, not invented values
FIXED = {
    "object", "role", "type", "finish_reason", "stop_reason", "status", "unit", "timeUnit", "scope", "feature", "scode",
    "code", "owned_by", "token_type", "error", "parent", "protocol", "supports_thinking_type", "default_effort",
}  # fmt: skip

Given = dict[str, Any]
Arrange = Callable[[World], "Given | None"]


def member(**fields: Any) -> Arrange:
    return lambda world: world.set("kimi-cn", **fields)


def full(window: str, **fields: Any) -> Arrange:
    return member(windows={window: {"used": 8_000}}, **fields)


def organisation(**fields: Any) -> Arrange:
    return lambda world: world.set("moonshot-intl", **fields)


def limits(**fields: Any) -> Arrange:
    return organisation(limits={"concurrency": 9, "rpm": 9, "tpm": 900_000_000} | fields)


def fault(name: str) -> Arrange:
    return lambda world: world.queue_fault(refusal=name)


def asking(**body: Any) -> Arrange:
    return lambda world: {"body": body}


def only(world: World, **windows: Any) -> None:
    """The membership has these windows and no other."""
    world.set("kimi-cn", windows=dict.fromkeys(("5h", "7d", "month")) | windows)


def counts_of_2025(world: World) -> None:
    only(world, **{"5h": {"used": 40}, "7d": {"used": 333}})
    world.set("kimi-cn", shape="counts")


def extra_usage(world: World) -> None:
    only(world, **{"5h": {"used": 200}})
    world.set("kimi-cn", wallet={"currency": "USD"})


def percent_with_level(world: World) -> None:
    only(world, **{"5h": {"used": 30}, "7d": {"used": 532}})
    world.set("kimi-cn", shape="membership")


def idle_5h(world: World) -> None:
    world.set("kimi-cn", windows={"5h": {"used": 0}})


def said_pong(world: World) -> None:
    world.say(sequence=[{"say": "pong", "chunks": 2, "prompt_tokens": 412, "cached_tokens": 256, "output_tokens": 37}])


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def lost_reasoning(world: World) -> Given:
    call = {"id": "a", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    messages = [{"role": "system", "content": "s"}, *user("x"), {"role": "assistant", "tool_calls": [call]}]
    return {"body": {"model": "kimi-k2.6", "messages": messages}}


def too_long_for_code(world: World) -> Given:
    world.behave(size_limit=10_000_000)
    return {"body": {"model": "k3-256k", "messages": user("x" * 1_100_000)}}


def signed_in(world: World) -> None:
    world.logins.issue("kimi-cn", world.now())


def login_begun(world: World) -> None:
    world.logins.start(world.now())


ARRANGED: dict[str, Arrange] = {
    "code-err-400-body-size": asking(model="kimi-for-coding", messages=user("x" * 2_097_153)),
    "code-err-400-token-limit": too_long_for_code,
    "code-err-401-invalid-auth": lambda world: {"key": keys.KIMI_INTL},
    "code-err-401-key-invalid": lambda world: {"key": "sk-kimi-EXAMPLE-unknown"},
    "code-err-401-no-model-access": lambda world: (
        world.set("kimi-cn", models=["k3"]) or {"body": {"model": "kimi-for-coding-highspeed", "messages": user("x")}}
    ),
    "code-err-402-membership": member(state="lapsed"),
    "code-err-403-5hour": full("5h"),
    "code-err-403-weekly": full("7d"),
    "code-err-403-monthly": full("month"),
    "code-err-403-anthropic-shape": full("5h", quota_words="billing-cycle"),
    "code-err-403-client-not-allowed": lambda world: {"headers": {"User-Agent": "OpenAI/Python 3.52.0"}},
    "code-err-403-terminated": member(state="banned"),
    "code-err-404-model": lambda world: world.behave(unknown_code_model="refuse") or {"body": {"model": "k9"}},
    "code-err-429-5hour-old": full("5h", quota_words="old"),
    "code-err-429-concurrency": lambda world: (
        world.set("kimi-cn", parallel=0) or {"body": {"model": "k3", "messages": user("x")}}
    ),
    "code-err-429-overloaded": fault("code-err-429-overloaded"),
    "code-usages-extra-usage": extra_usage,
    "code-usages-legacy": percent_with_level,
    "code-usages-legacy-requests": counts_of_2025,
    "code-usages-quota-model": member(shape="mixed"),
    "dev-balance-exhausted": organisation(voucher=0, cash=0),
    "dev-chat-nonstream-ok": said_pong,
    "dev-chat-stream-ok": said_pong,
    "dev-err-400-content-filter": asking(model="kimi-k2.6", messages=user("TRIGGER-CONTENT-FILTER")),
    "dev-err-400-file-purpose": fault("dev-err-400-file-purpose"),
    "dev-err-400-input-too-long": fault("dev-err-400-input-too-long"),
    "dev-err-400-invalid-request": asking(model="kimi-k2.6", messages=[]),
    "dev-err-400-reasoning-missing": lost_reasoning,
    "dev-err-400-temperature-fixed": asking(model="kimi-k2.6", temperature=0, messages=user("x")),
    "dev-err-400-thinking-type": asking(model="kimi-k2.7-code", thinking={"type": "disabled"}, messages=user("x")),
    "dev-err-400-token-limit": asking(model="kimi-k2.6", messages=user("x" * 1_100_000)),
    "dev-err-401-incorrect-key": lambda world: {"key": "sk-EXAMPLE-unknown"},
    "dev-err-401-invalid-authentication": lambda world: {"key": keys.MOONSHOT_CN},
    "dev-err-403-api-not-open": organisation(is_open=False),
    "dev-err-403-ip": organisation(ip_allowed=False),
    "dev-err-404-model": asking(model="kimi-k2-0905-preview", messages=user("x")),
    "dev-err-429-balance-suspended": organisation(voucher=0, cash=-1),
    "dev-err-429-concurrency": lambda world: limits(concurrency=0)(world) or PING,
    "dev-err-429-engine-overloaded": fault("dev-err-429-engine-overloaded"),
    "dev-err-429-rpm": lambda world: limits(rpm=0)(world) or PING,
    "dev-err-429-tpd": lambda world: limits(tpd=0)(world) or PING,
    "dev-err-429-tpm": lambda world: limits(tpm=0)(world) or PING,
    "dev-err-499-client-closed": fault("dev-err-499-client-closed"),
    "dev-err-500-server": fault("dev-err-500-server"),
    "dev-err-500-unexpected": fault("dev-err-500-unexpected"),
    "dev-messages-nonstream-ok": said_pong,
    "oauth-token-ok": signed_in,
    "oauth-token-pending": login_begun,
    "web-getsubscriptionstats-ok": idle_5h,
    "web-unauthenticated": lambda world: {"key": "eyJ.EXAMPLE.unknown"},
    "client-anthropic-sse-minimal": lambda world: {
        "target": "/api.kimi.com/coding/v1/messages?beta=true",
        "key": keys.KIMI_CN,
        "body": {"model": "kimi-for-coding", "max_tokens": 99, "stream": True, "messages": user("ping")},
    },
    "client-responses-sse-minimal": asking(model="kimi-k3", input="ping", stream=True),
}
PING = {"body": {"model": "kimi-k2.6", "messages": user("ping")}}


def exchange(sandbox: SandboxThread, name: str) -> Answer:
    """Brings the sandbox into the sample's state and sends the sample's request."""
    sample = SAMPLES[name]
    request, surface = sample["request"], sample["surface"]
    given = (ARRANGED[name](sandbox.world) if name in ARRANGED else None) or {}
    path = request["path"].removeprefix("https://")
    target = given.get("target") or (f"/{HOSTS[surface]}{path}" if path.startswith("/") else f"/{path}")
    key = given.get("key") or KEYS.get(surface, "")
    headers = dict(request["headers"])
    if surface == "kimi-web":
        account = sandbox.world.accounts["kimi-cn"]
        assert isinstance(account, Membership)
        key = key or account.web_sessions[0]
        headers["Cookie"] = f"kimi-auth={key}"
    if key:
        headers["Authorization"] = key if surface == "zai" else f"Bearer {key}"
    if surface == "kimi-code":
        headers |= AGENT
    headers |= given.get("headers", {})
    body = given.get("body", request.get("body"))
    return ask_at(sandbox.url, target, method=request["method"], body=body, **headers)


def shape(value: Any, name: str = "") -> Any:
    """A JSON value without its invented parts: names, nesting, types and fixed words remain."""
    match value:
        case dict():
            return {key: shape(inner, key) for key, inner in value.items()}
        case list():
            shapes = [shape(inner, name) for inner in value]
            return [one for index, one in enumerate(shapes) if index == 0 or one != shapes[index - 1]]
        case bool() | None:
            return value
        case int() | float():
            return "number"
        case str() if name in FIXED:
            return value
        case _:
            return "text"


def fixed_sentence(text: str) -> str:
    """A sentence with its numbers and ids left out."""
    text = re.sub(r"org-\w+<ak-\w+>", "WHO", text)
    text = re.sub(r"(model|to) (kimi-\S+?|k9)(\.?)( or|$)", r"\1 MODEL\3\4", text)
    return re.sub(r"\d+", "N", re.sub(r"messages is required", "REASON", text))


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_sandbox_answers_in_the_shape_of_the_sample(sandbox: SandboxThread, name: str) -> None:
    expected = SAMPLES[name]["response"]
    answer = exchange(sandbox, name)
    assert answer.status == expected["status"], answer.raw
    assert answer.headers["content-type"].startswith(expected["headers"]["Content-Type"].split(";")[0])
    for header, value in expected["headers"].items():
        assert header.lower() in answer.headers
        if header == "Retry-After":
            assert answer.headers["retry-after"].isdigit() == value.isdigit()
    if "body" in expected:
        assert shape(answer.json) == shape(expected["body"])
        same_sentence(answer.json, expected["body"])
    elif "sse_data" in expected:
        assert shape(answer.data) == shape(expected["sse_data"])
    else:
        contains_events(answer, expected["sse_events"])


def same_sentence(got: Any, expected: Any) -> None:
    error = expected.get("error")
    if isinstance(error, dict):
        assert fixed_sentence(got["error"]["message"]) == fixed_sentence(error["message"])


def contains_events(answer: Answer, expected: list[Any]) -> None:
    """The minimal events are there in their order, each with at least the fields of the sample."""
    rest = iter(answer.events)
    for name, payload in expected:
        found = next(data for event, data in rest if event == name and has_fields(data, payload))
        assert found["type"] == name


def has_fields(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(key in value and has_fields(value[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(value, list) and all(has_fields(a, b) for a, b in zip(value, wanted, strict=False))
    return (
        shape(value, "type") == shape(wanted, "type") or not isinstance(wanted, str) or value == wanted or bool(value)
    )


def test_every_sample_is_either_an_exchange_or_the_list_of_requests() -> None:
    assert set(SAMPLES) - set(EXCHANGES) == {"client-requests-observed"}
    assert set(ARRANGED) <= set(EXCHANGES)


OBSERVED = SAMPLES["client-requests-observed"]["requests"]


@pytest.mark.parametrize("position", range(len(OBSERVED)))
def test_the_sandbox_takes_what_real_clients_send(sandbox: SandboxThread, position: int) -> None:
    recorded = OBSERVED[position]
    path, headers = recorded["path"], {k: v for k, v in recorded["headers"].items() if "<" not in v}
    key = keys.KIMI_CN if path.startswith("/coding") else keys.MOONSHOT_INTL
    body = filled(recorded.get("body"))
    headers.pop("Content-Length", None)
    if "Authorization" in recorded["headers"]:
        headers["Authorization"] = f"Bearer {key}"
    answer = ask_at(sandbox.url, path, method=recorded["method"], body=body, **headers)
    assert answer.status == _OTHER.get((recorded["client"], path), 200), answer.raw


_OTHER = {
    ("claude-code 2.1.197 (preflight)", "/coding"): 404,
    ("aider-chat 0.86.2", "/v1/chat/completions"): 400,
    ("kimi-code 2.1.0", "/api/oauth/token"): 400,
}


def filled(body: Any) -> Any:
    """A recorded skeleton as a body that can be sent."""
    match body:
        case {"content_types": kinds, **rest}:
            return rest | {"content": [{"type": kind, "text": "x"} for kind in kinds]}
        case {"tools": [str(), *_], **rest}:
            return filled(rest)
        case dict():
            return {key: filled(value) for key, value in body.items()}
        case list():
            return [filled(value) for value in body]
        case _:
            return body
