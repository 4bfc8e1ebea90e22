"""Credits of the unofficial relay: whatever the fields are called, and nothing that is not said."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.samples import NOW, answered, binding, body_of

from perilune.core.errors import PeriluneError
from perilune.net.control import ControlClient
from perilune.providers.contract.registry import plan
from perilune.providers.kimi_k2.read import read, read_url, understood
from perilune.quota.snapshot import Snapshot, Window

KEY = "sk-EXAMPLE00000001"


def told(body: Any, **headers: str) -> Snapshot:
    bound = binding("kimi-k2", "global", KEY)
    return understood(bound, answered(bound, read_url(bound), body, **headers), NOW)


def window(body: Any, **headers: str) -> tuple[Decimal | None, ...]:
    [one] = told(body, **headers).windows
    return one.used, one.limit, one.remaining


def test_the_sample_is_one_window_of_credits() -> None:
    [one] = told(body_of("k2ai-credits-ok"), x_credits_remaining="380").windows
    assert isinstance(one, Window)
    assert (one.id, one.unit, one.span_s, one.resets_at) == ("credits", "credits", None, None)
    assert (one.used, one.limit, one.remaining, one.used_ratio) == (120, 500, 380, Decimal("0.24"))
    assert one.is_reliable


@pytest.mark.case("accounts 10.13")
def test_consumed_and_remaining_are_found_in_body_and_header() -> None:
    assert window({"total_credits_consumed": 120, "credits_remaining": 380}) == (120, 500, 380)
    assert window({}, x_credits_remaining="25") == (None, None, 25)
    assert window({"data": {"usage": {"consumed": 120, "remaining": 30}}}) == (120, 150, 30)


@pytest.mark.parametrize(
    "body",
    [
        {"totalCreditsUsed": "120", "creditsLeft": 30},
        {"result": {"credits": {"used_credits": 120.0, "remaining": "30"}}},
        {"usage": {"total": 120}, "credits": {"availableCredits": 30}},
        {"total_credits_consumed": 120, "data": {"consumed": 7, "remaining_credits": 30}},
    ],
)
def test_the_first_place_and_name_count(body: dict[str, Any]) -> None:
    assert window(body) == (120, 150, 30)


@pytest.mark.case("accounts 10.14")
async def test_what_is_no_amount_is_absent_and_a_key_of_the_vendor_is_not_sent() -> None:
    for odd in ("1e309", '"NaN"', "-1"):
        raw = b'{"consumed": 120, "remaining": ' + odd.encode() + b"}"
        assert window(raw) == (120, None, None)
        assert told(raw).drift == ("remaining",)
    for body in ([], {}, {"remaining": "NaN"}, b'{"remaining": NaN}'):
        with pytest.raises(PeriluneError) as refused:
            told(body)
        assert refused.value.problem.code == "PL-PARSE"
    async with ControlClient(upstream="http://127.0.0.1:9") as client:
        with pytest.raises(PeriluneError) as other:
            await read(binding("kimi-k2", "global", "sk-kimi-EXAMPLE0001"), client, NOW)
    assert other.value.problem.code == "PL-401-HOST"
    assert other.value.problem.facts["other"] == "Kimi Code"


def test_a_refused_key_says_so() -> None:
    bound = binding("kimi-k2", "global", KEY)
    with pytest.raises(PeriluneError) as refused:
        understood(bound, answered(bound, read_url(bound), {}, 401), NOW)
    assert refused.value.problem.code == "PL-401-KEY"


def test_the_plan_is_marked_and_kept_apart() -> None:
    relay = plan("kimi-k2")
    assert relay is not None
    assert "unofficial" in relay.label
    assert (relay.is_read_only, relay.is_detectable, relay.is_opt_in) == (True, False, True)
    assert relay.environment.keys == ("KIMI_K2_API_KEY",)
