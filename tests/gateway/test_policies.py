"""Decisions that hold whoever asks, and what a configuration may change of them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from perilune.compose.workbench import Workbench
from perilune.config.outcomes import POLICY_CLASSES, PROMPT_CAUSED
from perilune.core.errors import ConfigError
from perilune.dialects.form import Dialect
from perilune.gateway import failover
from perilune.gateway.admission import Priority
from perilune.gateway.call import Call
from perilune.gateway.door import Caller
from perilune.providers.contract.outcome import OutcomeClass as Is

from .conftest import route

CONFIG = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:X"
[[gateway.routes]]
name = "default"
slots = [{{ account = "work" }}]
[gateway.routes.policy]
{policy}
"""
BODY = b'{"model": "kimi", "messages": [{"role": "user", "content": "ping"}]}'


def test_the_classes_that_a_policy_may_name_are_those_there_are() -> None:
    assert set(POLICY_CLASSES) == {one.value for one in Is} - {"ok", "client_gone"}
    assert set(PROMPT_CAUSED) == {one.value for one in failover.PROMPT_CAUSED}


def _loaded(tmp_path: Path, policy: str) -> Any:
    tmp_path.joinpath("config.toml").write_text(CONFIG.format(policy=policy))
    tmp_path.joinpath("config.toml").chmod(0o600)
    return Workbench({"PERILUNE_HOME": str(tmp_path)}).configuration()


@pytest.mark.case("gateway FO-19")
@pytest.mark.parametrize("name", PROMPT_CAUSED)
@pytest.mark.parametrize("action", ["next", "same_then_next", "wait"])
def test_what_the_prompt_caused_cannot_be_sent_on_by_a_policy(tmp_path: Path, name: str, action: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _loaded(tmp_path, f'{name} = "{action}"')
    problem = refused.value.problem
    assert (problem.code, problem.variant) == ("PL-CONFIG-VALUE", "prompt_caused")
    assert str(problem.facts["place"]).startswith("config.toml:11")


def test_a_policy_of_another_class_is_taken_and_an_unknown_class_is_not(tmp_path: Path) -> None:
    assert _loaded(tmp_path, 'busy = "stop"\nbad_request = "stop"').config.gateway.routes[0].policy["busy"] == "stop"
    with pytest.raises(ConfigError, match="PL-CONFIG-VALUE"):
        _loaded(tmp_path, 'busi = "stop"')


class _Book:
    """One key, always found."""

    def find(self, text: str) -> Caller:
        return Caller(owner="ci", key_id="id-ci", priority=Priority.BATCH)

    def has_ended(self, key_id: str) -> bool:
        return False


@pytest.mark.case("gateway FO-21")
@pytest.mark.parametrize(
    ("status", "body", "outcomes"),
    [
        (403, "code-err-403-5hour", ["quota_spent", "ok"]),
        (401, "code-err-401-no-model-access", ["model_denied", "ok"]),
        (402, "code-err-402-membership", ["member_lapsed", "ok"]), (500, None, ["transient", "transient", "ok"]),
        (403, "code-err-403-terminated", ["banned", "ok"]),
        (400, None, ["bad_request"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("who", ["anybody", "key", "reviewer"])
async def test_a_key_and_the_reviewer_get_the_same_decisions(
    build: Any, monkeypatch: pytest.MonkeyPatch, status: int, body: str | None, outcomes: list[str], who: str
) -> None:
    house = build(route("work/kimi-for-coding", "lab/kimi-k2.6"), keys=_Book(), jitter=lambda: 0.0)
    what = {"refusal": body} if body else {"status": status, "body": "{}"}
    house.world.queue_fault(method="POST", host="api.kimi.com", count=2, **what)
    if who == "reviewer":
        call = Call(front=Dialect.CHAT, body=BODY, owner="review", priority=Priority.REVIEW, purpose="review")
        reply = await house.gateway.core.answer(call)
        assert (reply.status == 200) == (outcomes[-1] == "ok")
    else:
        headers = {"authorization": "Bearer plk_key"} if who == "key" else None
        answer = await house.client.chat(headers=headers)
        assert (answer.status == 200) == (outcomes[-1] == "ok")
    assert [row.outcome for row in house.rows.attempts[0]] == outcomes


@pytest.mark.case("gateway AD-02")
async def test_who_waits_too_long_for_a_place_is_told_when_to_come_back(build: Any) -> None:
    house = build(route("work/kimi-for-coding", gateway="queue_timeout_s = 1"))
    house.admission.configure("work", 1)
    house.world.say(text="word " * 60, gap_ms=80)
    busy = asyncio.create_task(house.client.chat(stream=True))
    while not house.seen():  # noqa: ASYNC110 what is waited for has no event
        await asyncio.sleep(0.01)
    refused = await house.client.chat()
    assert (refused.status, refused.error["code"]) == (429, "PL-GW-QUEUE")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(house.seen()) == 1
    assert (await busy).status == 200


@pytest.mark.case("gateway AD-10")
async def test_a_request_that_the_cap_refuses_has_used_nothing_else(build: Any) -> None:
    house = build(route("work/kimi-for-coding", gateway="queue_timeout_s = 0.05"))
    house.admission.configure("work", 1)
    held = await house.admission.acquire("work")
    house.gateway.core.services.rates.configure({})
    before = vars(house.gateway.core.services.room)["_taken"].copy()
    refused = await house.client.chat()
    held.release()
    assert (refused.status, refused.error["code"]) == (429, "PL-GW-QUEUE")
    assert refused.headers["x-perilune-attempts"] == "0"
    assert house.rows.attempts == [[]]
    assert house.rows.requests[0].counts == ()
    assert vars(house.gateway.core.services.room)["_taken"] == before
    assert (await house.client.chat()).status == 200


async def test_who_waits_when_the_service_stops_is_told_so_at_once(build: Any) -> None:
    house = build(route("work/kimi-for-coding"))
    house.admission.configure("work", 1)
    held = await house.admission.acquire("work")
    waiting = asyncio.create_task(house.client.chat())
    while house.admission.state("work").queued == 0:  # noqa: ASYNC110 what is waited for has no event
        await asyncio.sleep(0.005)
    draining = asyncio.create_task(house.gateway.core.drain(5))
    async with asyncio.timeout(3):
        refused = await waiting
    assert (refused.status, refused.error["code"]) == (503, "PL-GW-SHUTDOWN")
    assert int(refused.headers["retry-after"]) >= 1
    held.release()
    assert await draining


@pytest.mark.case("gateway CL-24")
async def test_an_overflow_names_its_figures_and_what_takes_more_in_this_route_alone(build: Any) -> None:
    text = "Your request exceeded model token limit: 262144 (requested: 558009)"
    body = {"error": {"type": "invalid_request_error", "message": text}}
    told = []
    for slots in (("ci/kimi-k2.6", "lab/kimi-k3"), ("ci/kimi-k2.6", "lab/kimi-k2.5")):
        house = build(route(*slots))
        house.world.queue_fault(method="POST", host="api.moonshot.ai", status=400, body=body, count=1)
        house.world.queue_fault(method="POST", host="api.moonshot.cn", status=400, body=body, count=1)
        refused = await house.client.chat()
        assert (refused.status, refused.error["code"]) == (400, "PL-400-TOKENS")
        told.append(refused.error["message"])
    for message in told:
        assert "558,009" in message
        assert "262,144" in message
        assert "kimi-k2.6" in message or "kimi-k3" in message
    assert "kimi-k3 (1,048,576)" in told[0]
    assert "1,048,576" not in told[1]
