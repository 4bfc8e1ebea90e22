"""Kimi Code as played: windows that fill, the gate, models, refusals."""

from datetime import timedelta
from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import SandboxThread, keys

# Together with its neighbours this file shows every behaviour of the played vendors, each with a plain client.
pytestmark = pytest.mark.case("gateway SB-02")

MESSAGES = "/api.kimi.com/coding/v1/messages"
CHAT = "/api.kimi.com/coding/v1/chat/completions"
USAGES = "/api.kimi.com/coding/v1/usages"
AGENT = "KimiCLI/1.49.0"


def said(ask: Ask, text: str = "ping", model: str = "kimi-for-coding", **body: Any) -> Answer:
    asked = {"model": model, "max_tokens": 99, "messages": [{"role": "user", "content": text}], **body}
    return ask(MESSAGES, key=keys.KIMI_CN, body=asked)


def ratios(ask: Ask) -> dict[str, float]:
    told = ask(USAGES, key=keys.KIMI_CN).json["usages"]
    return {name: window["used_ratio"] for name, window in told.items()}


def fresh(sandbox: SandboxThread, **windows: Any) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": None, "7d": None, "month": None})
    sandbox.world.set("kimi-cn", windows=windows)


def test_each_request_fills_every_window_until_the_sentence_of_the_full_one(sandbox: SandboxThread, ask: Ask) -> None:
    fresh(sandbox, **{"5h": {"limit": 3, "span_s": 18_000}, "7d": {"limit": 30, "span_s": 604_800}})
    assert [said(ask).status for _ in range(4)] == [200, 200, 200, 403]
    assert "5-hour" in said(ask).error["message"]
    assert ratios(ask) == {"limit_5h": 1, "limit_7d": 0.1}


@pytest.mark.parametrize(
    ("window", "word"), [("5h", "5-hour usage limit"), ("7d", "weekly (7-day) usage limit"), ("month", "monthly")]
)
def test_a_full_window_is_refused_in_its_own_words(sandbox: SandboxThread, ask: Ask, window: str, word: str) -> None:
    sandbox.world.set("kimi-cn", windows={window: {"used": 9_000}})
    refused = said(ask)
    assert refused.status == 403
    assert word in refused.error["message"]


def test_of_two_full_windows_the_one_that_comes_back_last_speaks(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}, "7d": {"used": 2_048}})
    assert "weekly" in said(ask).error["message"]


def test_the_same_words_can_stand_for_the_5_hour_and_the_weekly_window(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", quota_words="billing-cycle", windows={"5h": {"used": 200}})
    five_hours = said(ask).error["message"]
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 0}, "7d": {"used": 2_048}})
    assert said(ask).error["message"] == five_hours
    assert "billing cycle" in five_hours


def test_a_window_starts_with_its_first_request_and_comes_back_after_its_span(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.freeze()
    fresh(sandbox, **{"5h": {"limit": 2, "span_s": 18_000}})
    assert "reset_time" not in ask(USAGES, key=keys.KIMI_CN).json["usages"]["limit_5h"]
    assert [said(ask).status for _ in range(3)] == [200, 200, 403]
    begun = sandbox.world.now()
    told = ask(USAGES, key=keys.KIMI_CN).json["usages"]["limit_5h"]["reset_time"]
    assert told == (begun + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    sandbox.world.advance(18_001)
    assert said(ask).status == 200


def test_counters_can_lag_while_the_refusal_is_already_there(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.freeze()
    fresh(sandbox, **{"5h": {"limit": 2, "span_s": 18_000}})
    sandbox.world.set("kimi-cn", lag_s=60)
    assert [said(ask).status for _ in range(3)] == [200, 200, 403]
    assert ratios(ask) == {"limit_5h": 0}
    sandbox.world.advance(61)
    assert ratios(ask) == {"limit_5h": 1}


def test_models_weigh_differently(sandbox: SandboxThread, ask: Ask) -> None:
    fresh(sandbox, **{"5h": {"limit": 100, "span_s": 18_000}})
    said(ask, model="k3-256k")
    said(ask, model="kimi-for-coding-highspeed")
    assert ratios(ask) == {"limit_5h": 0.035}


def test_extra_usage_serves_when_the_windows_are_full_and_is_spent(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}}, wallet={"left": "0.05"})
    assert [said(ask).status for _ in range(2)] == [200, 403]
    assert ask(USAGES, key=keys.KIMI_CN).json["boosterWallet"]["balance"]["amountLeft"] == "0"


def test_the_chat_surface_is_gated_by_user_agent_and_messages_is_not(sandbox: SandboxThread, ask: Ask) -> None:
    body = {"model": "kimi-for-coding", "messages": [{"role": "user", "content": "ping"}]}
    assert ask(CHAT, key=keys.KIMI_CN, body=body, User_Agent="OpenAI/Python 3.52.0").status == 403
    assert ask(CHAT, key=keys.KIMI_CN, body=body, User_Agent=AGENT).status == 200
    assert said(ask).status == 200
    assert ask("/api.kimi.com/coding/v1/models", key=keys.KIMI_CN, User_Agent="node").status == 200
    sandbox.world.behave(gate="off")
    assert ask(CHAT, key=keys.KIMI_CN, body=body, User_Agent="OpenAI/Python 3.52.0").status == 200
    sandbox.world.behave(gate="all")
    assert said(ask).status == 403


def test_an_unknown_model_is_served_silently_by_the_floating_one(ask: Ask) -> None:
    assert said(ask, model="kimi-for-codign").json["model"] == "kimi-for-coding"


def test_a_model_above_the_plan_is_401(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", models=["kimi-for-coding"])
    refused = said(ask, model="kimi-for-coding-highspeed")
    assert (refused.status, refused.json["type"]) == (401, "error")
    assert "does not have access" in refused.error["message"]


def test_keys_do_not_cross_regions_or_plans(ask: Ask) -> None:
    for key in (keys.KIMI_CN, keys.MOONSHOT_CN, keys.MOONSHOT_INTL, "sk-kimi-nobody", ""):
        assert ask("/api.kimi.ai/coding/v1/usages", key=key).status == 401
    assert ask("/api.kimi.ai/coding/v1/usages", key=keys.KIMI_INTL).status == 200
    assert ask("/coding/v1/usages", key=keys.KIMI_INTL).status == 200


def test_a_revoked_key_is_401(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", revoked=[keys.KIMI_CN])
    assert ask(USAGES, key=keys.KIMI_CN).status == 401


def test_without_a_membership_only_the_person_can_be_read(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", state="lapsed")
    paths = ("usages", "models", "me")
    assert [ask(f"/api.kimi.com/coding/v1/{path}", key=keys.KIMI_CN).status for path in paths] == [402, 402, 200]
    refused = said(ask)
    assert (refused.status, refused.error["type"]) == (402, "invalid_request_error")


def test_an_ended_access_says_so(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", state="banned")
    assert said(ask).error["message"] == "Access terminated."


def test_more_than_2_mib_of_text_is_refused_with_the_number(ask: Ask) -> None:
    refused = said(ask, "x" * 2_200_000)
    assert refused.status == 400
    assert refused.error["message"] == "total message size 2200000 exceeds limit 2097152"


def test_two_keys_of_one_membership_share_its_windows_and_its_cap(sandbox: SandboxThread, ask: Ask) -> None:
    second = "sk-kimi-EXAMPLE-second"
    sandbox.world.set("kimi-cn", keys=[keys.KIMI_CN, second], parallel=0)
    refused = ask(
        MESSAGES, key=second, body={"model": "k3", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    )
    assert (refused.status, refused.error["type"]) == (429, "rate_limit_reached_error")
    sandbox.world.behave(concurrency_words="max")
    assert "max concurrency: 0" in said(ask).error["message"]
    assert [entry.key for entry in sandbox.world.requests()] == ["kimi-cn-2", "kimi-cn"]


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("ratio", {"usages"}),
        ("ratio-without-7d", {"usages"}),
        ("counts", {"usage", "limits"}),
        ("percent", {"usage", "limits"}),
        ("membership", {"usage", "limits", "user", "totalQuota"}),
        ("mixed", {"usages", "limits", "version"}),
    ],
)
def test_usages_come_in_every_shape(sandbox: SandboxThread, ask: Ask, shape: str, fields: set[str]) -> None:
    sandbox.world.set("kimi-cn", shape=shape, reports_parallel=True)
    told = ask(USAGES, key=keys.KIMI_CN).json
    assert set(told) == fields | {"parallel"}
    assert ("limit_7d" in told.get("usages", {})) == (shape in ("ratio", "mixed"))
    if "usage" in told:
        assert told["usage"]["limit"] == ("2048" if shape == "counts" else "100")


def test_a_reading_can_contradict_another(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("kimi-cn", shape="counts", windows={"5h": {"reported": 0, "used": 94}})
    detail = ask(USAGES, key=keys.KIMI_CN).json["limits"][0]["detail"]
    assert (detail["used"], detail["remaining"]) == ("94", "106")
    assert said(ask).status == 200


def test_reading_never_fills_or_starts_a_window(sandbox: SandboxThread, ask: Ask) -> None:
    fresh(sandbox, **{"5h": {"limit": 100, "span_s": 18_000}})
    for path in ("usages", "models", "me"):
        ask(f"/api.kimi.com/coding/v1/{path}", key=keys.KIMI_CN)
    ask(f"{MESSAGES}/count_tokens", key=keys.KIMI_CN, body={"messages": [{"role": "user", "content": "x"}]})
    assert ratios(ask) == {"limit_5h": 0}
    assert sandbox.world.max_in_flight("kimi-cn") == 0
