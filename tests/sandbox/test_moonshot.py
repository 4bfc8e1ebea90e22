"""The Moonshot platform as played: money, limits of the organisation, models."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import SandboxThread, World, keys

# Together with its neighbours this file shows every behaviour of the played vendors, each with a plain client.
pytestmark = pytest.mark.case("gateway SB-02")

CHAT = "/api.moonshot.ai/v1/chat/completions"
BALANCE = "/api.moonshot.ai/v1/users/me/balance"
SECOND = "sk-EXAMPLE0sandbox0moonshot0intl0000000000002"


def chat(ask: Ask, text: str = "ping", model: str = "kimi-k2.6", key: str = keys.MOONSHOT_INTL, **body: Any) -> Answer:
    return ask(CHAT, key=key, body={"model": model, "messages": [{"role": "user", "content": text}], **body})


def available(ask: Ask) -> Decimal:
    return Decimal(str(ask(BALANCE, key=keys.MOONSHOT_INTL).json["data"]["available_balance"]))


def test_the_balance_falls_by_the_price_voucher_first(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.say(
        sequence=[{"say": "x", "prompt_tokens": 1_000_000, "cached_tokens": 500_000, "output_tokens": 100_000}]
    )
    before = available(ask)
    chat(ask)
    assert before - available(ask) == Decimal("0.08") + Decimal("0.475") + Decimal("0.40")
    told = ask(BALANCE, key=keys.MOONSHOT_INTL).json["data"]
    assert told["voucher_balance"] == 4.045
    assert told["cash_balance"] == 13.42731


def test_without_money_answers_stop_and_reading_does_not(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("moonshot-intl", voucher=0, cash="0.000001")
    assert [chat(ask).status for _ in range(2)] == [200, 429]
    assert chat(ask).error["type"] == "exceeded_current_quota_error"
    told = ask(BALANCE, key=keys.MOONSHOT_INTL).json["data"]
    assert told["available_balance"] == 0
    assert told["cash_balance"] < 0


@pytest.mark.parametrize("status", [429, 403, 402])
def test_an_empty_balance_can_be_told_with_three_statuses(sandbox: SandboxThread, ask: Ask, status: int) -> None:
    sandbox.world.set("moonshot-intl", voucher=0, cash=0, empty_status=status)
    refused = chat(ask)
    assert refused.status == status
    assert "balance" in refused.error["message"]


@pytest.mark.case("gateway SB-03")
def test_two_keys_of_one_organisation_share_its_single_place_on_tier_0(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.load("tier-0")
    sandbox.world.queue_fault(hold="headers")
    answers: list[Answer] = []
    first = threading.Thread(target=lambda: answers.append(chat(ask)))
    first.start()
    sandbox.world.wait_for(lambda world: world.held == 1)
    refused = chat(ask, key=SECOND)
    sandbox.world.release()
    first.join()
    assert answers[0].status == 200
    assert (refused.status, refused.error["type"]) == (429, "rate_limit_reached_error")
    assert refused.error["message"] == (
        "Your account org-0000<ak-0000> request reached organization max concurrency: 1, "
        "please try again after 1 seconds"
    )
    assert sandbox.world.max_in_flight("moonshot-intl") == 2
    assert sandbox.world.traffic("moonshot-intl").admitted_ever == 1
    assert sandbox.world.in_flight("moonshot-intl") == 0


def test_requests_per_minute_count_for_the_organisation(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.load("tier-0")
    sandbox.world.freeze()
    assert [chat(ask, key=key).status for key in (keys.MOONSHOT_INTL, SECOND, SECOND, SECOND)] == [200, 200, 200, 429]
    refused = chat(ask)
    assert "max RPM: 3" in refused.error["message"]
    assert refused.headers["retry-after"] == "60"
    sandbox.world.advance(60)
    assert chat(ask).status == 200


def test_tokens_per_minute_count_the_prompt_and_the_requested_limit(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("moonshot-intl", limits={"concurrency": 9, "rpm": 9, "tpm": 500_000})
    assert chat(ask, max_completion_tokens=262_144).status == 200
    refused = chat(ask, max_completion_tokens=262_144)
    assert "TPM rate limit, current:5243" in refused.error["message"]
    assert "limit:500000" in refused.error["message"]
    assert chat(ask, max_completion_tokens=16).status == 200


def test_tokens_per_day_end_at_midnight_in_beijing(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.freeze()
    sandbox.world.set("moonshot-intl", limits={"concurrency": 9, "rpm": 9, "tpm": 500_000, "tpd": 40_000})
    assert [chat(ask).status for _ in range(2)] == [200, 429]
    assert "TPD rate limit" in chat(ask).error["message"]
    sandbox.world.advance(86_400)
    assert chat(ask).status == 200


@pytest.mark.parametrize("model", ["kimi-k2-0905-preview", "kimi-for-coding", "nothing"])
def test_a_model_that_is_not_offered_is_404(ask: Ask, model: str) -> None:
    refused = chat(ask, model=model)
    assert refused.status == 404
    assert refused.error["message"] == f"Not found the model {model} or Permission denied"


def test_the_newest_models_need_a_paid_top_up(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.set("moonshot-intl", paid=0)
    assert [chat(ask, model=model).status for model in ("kimi-k3", "kimi-k2.6")] == [404, 200]


def test_a_repeated_prefix_is_cached_in_chunks_of_256_tokens(ask: Ask) -> None:
    long = "the same beginning " * 200
    assert "cached_tokens" not in chat(ask, f"{long} one").json["usage"]
    usage = chat(ask, f"{long} two").json["usage"]
    assert usage["cached_tokens"] == usage["prompt_tokens_details"]["cached_tokens"] == 768
    assert usage["prompt_tokens"] > 768


def test_the_identity_tells_limits_and_may_be_missing(sandbox: SandboxThread, ask: Ask) -> None:
    told = ask("/api.moonshot.ai/v1/users/me", key=keys.MOONSHOT_INTL).json["data"]
    assert told["organization"]["max_concurrency"] == 50
    assert told["user_group_id"] == "enterprise-tier-1"
    sandbox.world.set("moonshot-intl", serves_me=False)
    assert ask("/api.moonshot.ai/v1/users/me", key=keys.MOONSHOT_INTL).status == 404


def test_bases_answer_head_and_get(sandbox: SandboxThread, ask: Ask) -> None:
    assert ask("/api.moonshot.ai/v1").status == 404
    assert ask("/coding", method="HEAD") == (404, *ask("/coding", method="HEAD")[1:])
    sandbox.world.behave(base_status=200)
    assert ask("/api.kimi.com/coding", method="HEAD").status == 200
    assert ask("/api.moonshot.ai/v1/nothing").status == 404
    assert ask(CHAT, key=keys.MOONSHOT_INTL).status == 405


def test_in_flight_is_counted_exactly(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.queue_fault(hold="content", count=None, path="/v1/chat/completions")
    asking = [threading.Thread(target=chat, args=(ask,), kwargs={"stream": True}) for _ in range(7)]
    for thread in asking:
        thread.start()
    sandbox.world.wait_for(lambda world: world.held == 7)
    assert sandbox.world.in_flight("moonshot-intl") == 7
    sandbox.world.release(3)
    sandbox.world.wait_for(lambda world: world.in_flight("moonshot-intl") == 4)
    sandbox.world.release()
    for thread in asking:
        thread.join()
    assert sandbox.world.in_flight("moonshot-intl") == 0
    assert sandbox.world.max_in_flight("moonshot-intl") == 7


def test_one_client_after_another_is_never_seen_as_two(sandbox: SandboxThread, ask: Ask) -> None:
    for _ in range(20):
        chat(ask, stream=True)
        chat(ask)
    assert sandbox.world.max_in_flight("moonshot-intl") == 1


def test_a_world_can_be_built_from_a_table() -> None:
    world = World({"extends": "pong", "accounts": {"moonshot-cn": {"cash": 1}}})
    assert world.accounts["moonshot-cn"].cash == 1  # type: ignore[union-attr]
