from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.support.loopback import Asked, LoopbackServer, answer, loopback_server
from tests.support.samples import NOW, answered, binding, body_of

from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.net.control import ControlClient
from perilune.providers.contract.probing import probe
from perilune.providers.moonshot import read as moonshot
from perilune.providers.openrouter import read as openrouter
from perilune.quota.snapshot import Balance, Snapshot

INTL, CN = binding("moonshot", "intl"), binding("moonshot", "cn")


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackServer]:
    async with loopback_server() as server:
        yield server


@pytest.fixture
async def client(loopback: LoopbackServer) -> AsyncIterator[ControlClient]:
    async with ControlClient(upstream=loopback.url, retry_pause_s=(0, 0)) as control:
        yield control


def understood(body: Any, bound: Any = INTL) -> Snapshot:
    return moonshot.understood(bound, answered(bound, moonshot.read_url(bound), body), NOW)


def money(body: Any, bound: Any = INTL) -> Balance:
    balance = understood(body, bound).balance
    assert balance is not None
    return balance


def envelope(**data: Any) -> dict[str, Any]:
    return {"code": 0, "scode": "0x0", "status": True, "data": data}


def refused(body: Any) -> PeriluneError:
    with pytest.raises(PeriluneError) as caught:
        understood(body)
    return caught.value


@pytest.mark.case("accounts 7.1", "accounts 7.2")
def test_the_currency_follows_the_host() -> None:
    dollars = money(envelope(available_balance=49.58, voucher_balance=50, cash_balance=12.34))
    assert [str(part) for part in (dollars.available, dollars.voucher, dollars.cash)] == ["49.58", "50", "12.34"]
    assert dollars.currency == "USD"
    assert money(envelope(available_balance=9.87), CN).currency == "CNY"
    assert understood(envelope(available_balance=1)).windows == ()


@pytest.mark.parametrize("name", ["dev-balance-ok", "dev-balance-exhausted"])
def test_the_samples_are_understood(name: str) -> None:
    body = body_of(name)
    assert str(money(body).available) == str(body["data"]["available_balance"])


@pytest.mark.case("accounts 7.5")
def test_amounts_may_be_text() -> None:
    assert money(envelope(available_balance="18.42731")) == money(envelope(available_balance=18.42731))


@pytest.mark.case("accounts 7.6")
def test_what_is_absent_is_unknown() -> None:
    balance = money(envelope(available_balance=1))
    assert (balance.voucher, balance.cash) == (None, None)
    odd = understood(envelope(available_balance=1, cash_balance="much"))
    assert odd.drift == ("cash_balance",)


@pytest.mark.case("accounts 7.7")
@pytest.mark.parametrize("body", [[], {"code": 0}, envelope(available_balance="NaN"), envelope(), b"[", b""])
def test_without_an_available_balance_nothing_is_understood(body: Any) -> None:
    assert refused(body).problem.code == "PL-PARSE"


@pytest.mark.case("accounts 7.8")
@pytest.mark.parametrize(
    "body",
    [
        {"code": 401, "data": None},
        {"code": 7, "scode": "unauthorized"},
        {"code": 9, "message": "incorrect_api_key_error"},
    ],
)
def test_a_200_can_refuse_the_key(body: Any) -> None:
    assert refused(body).problem.code == "PL-401-KEY"


@pytest.mark.case("accounts 7.9")
def test_a_200_can_be_a_fault_of_the_vendor() -> None:
    problem = refused({"code": 5, "scode": "0x5", "status": False, "message": "try later"}).problem
    assert (problem.code, problem.facts["code"], problem.facts["scode"]) == ("PL-VENDOR", "5", "0x5")
    assert problem.words == "try later"


@pytest.mark.case("accounts 7.11")
def test_a_refused_key_is_nowhere_in_the_error() -> None:
    got = answered(INTL, moonshot.read_url(INTL), {"error": {"message": "key sk-EXAMPLE00000001 is wrong"}}, 401)
    with pytest.raises(PeriluneError) as caught:
        moonshot.understood(INTL, got, NOW)
    assert caught.value.problem.code == "PL-401-KEY"
    assert "EXAMPLE" not in f"{caught.value} {caught.value.problem.words}"


@pytest.mark.case("accounts 7.10")
async def test_one_call_to_the_balance_of_the_region(client: ControlClient, loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: (
        answer(200, msgspec.json.encode(envelope(available_balance=1))) if "balance" in asked.path else answer(404)
    )
    await moonshot.read(CN, client, NOW)
    (asked,) = [one for one in loopback.requests if one.path.endswith("/balance")]
    assert asked.path == "/api.moonshot.cn/v1/users/me/balance"
    assert asked.headers["authorization"] == "Bearer sk-EXAMPLE00000001"
    assert asked.headers["accept"] == "application/json"


def told(asked: Asked) -> bytes:
    if asked.path.endswith("/balance"):
        return answer(200, msgspec.json.encode(envelope(available_balance=1)))
    organization = {"id": "org-secret", "max_concurrency": 50, "max_request_per_minute": "200", "max_token_quota": 0}
    return answer(200, msgspec.json.encode(envelope(organization=organization)))


async def test_limits_and_a_fingerprint_come_beside_the_balance(
    client: ControlClient, loopback: LoopbackServer
) -> None:
    loopback.reply = told
    snapshot = await moonshot.read(INTL, client, NOW)
    assert (snapshot.limits.concurrency, snapshot.limits.rpm, snapshot.limits.tpd) == (50, 200, None)
    assert snapshot.identity is not None
    assert "secret" not in repr(snapshot)


@pytest.mark.case("accounts 7.12")
async def test_limits_that_are_refused_cost_nothing_and_are_asked_again_tomorrow(
    client: ControlClient, loopback: LoopbackServer
) -> None:
    loopback.reply = lambda asked: told(asked) if asked.path.endswith("/balance") else answer(404)
    first = await moonshot.read(INTL, client, NOW)
    assert (first.limits.concurrency, first.drift, first.limits_refused_at) == (None, (), NOW)
    loopback.requests.clear()
    again = await moonshot.read(INTL, client, NOW + timedelta(hours=23), first)
    assert [asked.path.rpartition("/")[2] for asked in loopback.requests] == ["balance"]
    loopback.requests.clear()
    await moonshot.read(INTL, client, NOW + timedelta(hours=24), again)
    assert len(loopback.requests) == 2


async def test_a_probe_is_a_value_whatever_the_host_says(client: ControlClient, loopback: LoopbackServer) -> None:
    for status, verdict in (
        (401, "refused"),
        (402, "no-plan"),
        (403, "forbidden"),
        (429, "throttled"),
        (500, "not-reached"),
    ):
        loopback.reply = lambda asked, status=status: answer(status)
        probed = await probe(INTL, client, NOW)
        assert (probed.verdict, probed.status, probed.host) == (verdict, status, "api.moonshot.ai")
    loopback.reply = told
    probed = await probe(INTL, client, NOW)
    assert (probed.verdict, probed.problem) == ("accepted", None)
    assert probed.snapshot is not None
    loopback.reply = lambda asked: answer(200, b"<html>")
    probed = await probe(INTL, client, NOW)
    assert (probed.verdict, probed.snapshot) == ("accepted", None)
    assert len(loopback.requests) == 7


async def test_openrouter_shows_the_smaller_of_allowance_and_credit(
    client: ControlClient, loopback: LoopbackServer
) -> None:
    bound = binding("openrouter", "global")
    key = msgspec.json.encode(body_of("openrouter-key-ok"))
    money_left = b'{"data":{"total_credits":30,"total_usage":11.75}}'
    loopback.reply = lambda asked: answer(200, key if asked.path.endswith("/key") else money_left)
    snapshot = await openrouter.read(bound, client, NOW)
    assert snapshot.balance is not None
    assert (str(snapshot.balance.available), snapshot.balance.currency) == ("18.25", "USD")
    loopback.reply = lambda asked: answer(200, key) if asked.path.endswith("/key") else answer(403)
    snapshot = await openrouter.read(bound, client, NOW)
    assert snapshot.balance is not None
    assert str(snapshot.balance.available) == "38.25"


def code_of(bound: Any, status: int) -> PeriluneError:
    with pytest.raises(PeriluneError) as caught:
        moonshot.understood(bound, answered(bound, moonshot.read_url(bound), {}, status), NOW)
    return caught.value


@pytest.mark.case("experience E16")
def test_a_refused_key_of_another_prefix_looks_like_the_other_plan() -> None:
    problem = code_of(binding("moonshot", "intl", "sk-kimi-EXAMPLE0001"), 401).problem
    assert (problem.code, problem.variant, problem.facts["other"]) == ("PL-401-HOST", "looks", "Kimi Code")


@pytest.mark.case("experience E20")
@pytest.mark.parametrize("base", ["https://api.moonshot.ai/v1/v1", "https://api.moonshot.ai"])
def test_a_wrong_base_address_is_put_right(base: str) -> None:
    problem = code_of(binding("moonshot", "intl", base_url=base), 404).problem
    assert problem.code == "PL-404-PATH"
    assert "https://api.moonshot.ai/v1." in Voice().explain(problem).what


def test_every_refusal_of_a_read_has_words_in_both_languages() -> None:
    for status in (400, 401, 402, 403, 404, 429, 500):
        problem = code_of(INTL, status).problem
        for language in ("en", "zh-CN"):
            words = Voice(language=language, now=NOW).explain(problem)
            assert words.what != problem.code
            assert "{" not in words.what
