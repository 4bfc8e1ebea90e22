"""The vendor's web site, and the services beside the two plans."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import SandboxThread, keys
from perilune.sandbox.accounts import Membership

BILLING = "/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"
MEMBER = "/apiv2/kimi.gateway.membership.v2.MembershipService"


def session(sandbox: SandboxThread, account: str = "kimi-cn") -> str:
    member = sandbox.world.accounts[account]
    assert isinstance(member, Membership)
    return member.web_sessions[0]


def visit(
    ask: Ask, path: str, token: str, *, cookie: str | None = None, host: str = "www.kimi.com", **body: Any
) -> Answer:
    return ask(f"/{host}{path}", key=token, body=body, Cookie=f"kimi-auth={token if cookie is None else cookie}")


def test_the_session_needs_cookie_and_bearer_of_its_own_region(sandbox: SandboxThread, ask: Ask) -> None:
    token = session(sandbox)
    assert visit(ask, BILLING, token, scope=["FEATURE_CODING"]).status == 200
    for refused in (
        visit(ask, BILLING, token, cookie="other"),
        visit(ask, BILLING, token, host="www.kimi.ai"),
        visit(ask, BILLING, keys.KIMI_CN),
        visit(ask, BILLING, "eyJ.a.b"),
        ask(f"/www.kimi.com{BILLING}", key=token, body={}),
    ):
        assert (refused.status, refused.json["code"]) == (401, "unauthenticated")
    assert ask("/api.kimi.com/coding/v1/usages", key=token).status == 401


def test_the_session_token_is_a_jwt_with_the_claims_that_headers_are_made_of(sandbox: SandboxThread) -> None:
    claims = json.loads(urlsafe_b64decode(session(sandbox).split(".")[1] + "=="))
    assert set(claims) == {"iss", "sub", "typ", "device_id", "ssid", "exp"}


def test_the_web_tells_the_same_windows_as_the_api(sandbox: SandboxThread, ask: Ask) -> None:
    token = session(sandbox)
    usages = visit(ask, BILLING, token, scope=["FEATURE_CODING"]).json["usages"][0]
    stats = visit(ask, f"{MEMBER}/GetSubscriptionStats", token).json
    told = ask("/api.kimi.com/coding/v1/usages", key=keys.KIMI_CN).json["usages"]
    assert usages["detail"]["used"] == "26"
    assert stats["ratelimitCode5h"]["ratio"] == told["limit_5h"]["used_ratio"]
    assert stats["subscriptionBalance"]["amountUsedRatio"] == told["limit_month_total"]["used_ratio"]
    assert visit(ask, BILLING, token, scope=["OTHER_SCOPE"]).json == {"usages": []}


def test_the_subscription_names_its_plan_and_whether_it_is_active(sandbox: SandboxThread, ask: Ask) -> None:
    told = visit(ask, f"{MEMBER}/GetSubscription", session(sandbox)).json
    assert (told["active"], told["subscription"]["goods"]["title"]) == (True, "Allegretto")
    sandbox.world.set("kimi-cn", state="lapsed")
    assert visit(ask, f"{MEMBER}/GetSubscription", session(sandbox)).json["active"] is False
    assert visit(ask, f"{MEMBER}/GetSubscriptionStat", session(sandbox)).status == 404


def test_the_aggregator_charges_and_then_wants_more_credits(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.say(lines=[{"prompt_tokens": 1_000_000, "cached_tokens": 0, "output_tokens": 0}])
    sandbox.world.set("openrouter", limit=12, usage=11)
    body = {"model": "moonshotai/kimi-k2.6", "messages": [{"role": "user", "content": "ping"}], "temperature": 0.2}
    answers = [ask("/openrouter.ai/api/v1/chat/completions", key=keys.OPENROUTER, body=body) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 402]
    told = ask("/openrouter.ai/api/v1/key", key=keys.OPENROUTER).json["data"]
    assert told["limit_remaining"] == pytest.approx(-0.9)
    assert ask("/openrouter.ai/api/v1/credits", key=keys.OPENROUTER).json["data"]["total_credits"] == 50
    sandbox.world.set("openrouter", reads_credits=False)
    assert ask("/openrouter.ai/api/v1/credits", key=keys.OPENROUTER).status == 403


def test_the_aggregator_knows_its_own_names_and_keys(ask: Ask) -> None:
    body = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": "ping"}]}
    assert ask("/openrouter.ai/api/v1/chat/completions", key=keys.OPENROUTER, body=body).error["code"] == 404
    assert ask("/openrouter.ai/api/v1/key", key=keys.KIMI_CN).error["code"] == 401
    assert "moonshotai/kimi-k3" in [row["id"] for row in ask("/openrouter.ai/api/v1/models").json["data"]]


def test_credits_of_the_relay_are_told_in_body_and_header(sandbox: SandboxThread, ask: Ask) -> None:
    told = ask("/kimi-k2.ai/api/user/credits", key=keys.K2_RELAY)
    assert told.json == {"total_credits_consumed": 120, "credits_remaining": 380}
    assert told.headers["x-credits-remaining"] == "380"
    sandbox.world.set("k2-relay", body={"result": {"usage": {"usedCredits": 5}}}, header="7.5")
    told = ask("/kimi-k2.ai/api/user/credits", key=keys.K2_RELAY)
    assert (told.json["result"]["usage"]["usedCredits"], told.headers["x-credits-remaining"]) == (5, "7.5")
    assert ask("/kimi-k2.ai/api/user/credits", key="sk-nobody").status == 401


def test_an_own_endpoint_serves_its_models_without_rules(sandbox: SandboxThread, ask: Ask) -> None:
    body = {
        "model": "local-model",
        "messages": [{"role": "user", "content": "ping"}],
        "temperature": 0.3,
        "max_tokens": 9,
    }
    for path in ("chat/completions", "messages"):
        assert ask(f"/llm.example/v1/{path}", key=keys.OWN, body=body).status == 200
    assert "reasoning_content" not in ask("/llm.example/v1/chat/completions", key=keys.OWN, body=body).raw.decode()
    assert ask("/llm.example/v1/responses", key=keys.OWN, body={"model": "local-model", "input": "x"}).status == 200
    assert ask("/llm.example/v1/models", key=keys.OWN).json["data"][0]["id"] == "local-model"
    missing = ask("/llm.example/v1/chat/completions", key=keys.OWN, body=body | {"model": "x"})
    assert (missing.status, missing.error["type"]) == (404, "model_not_found")
    sandbox.world.set("own", concurrency=0)
    assert ask("/llm.example/v1/chat/completions", key=keys.OWN, body=body).status == 429
