"""A slot's override: merged last, previewed byte for byte, and what is odd about it said."""

import json
from typing import Any

import pytest

from perilune.dialects.form import Dialect
from perilune.gateway.preview import Preview, lint_slot, preview_route

from .conftest import Build, House, route

DISABLED = '{ thinking = { type = "disabled" } }'
PING = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": "ping"}], "max_tokens": 64}


def previewed(house: House, body: dict[str, Any] = PING) -> list[Preview]:
    core = house.gateway.core
    found = core.setup.routes.match(body["model"])
    assert found is not None
    return preview_route(core, found, Dialect.CHAT, json.dumps(body).encode())


def codes(house: House) -> set[str]:
    slots = house.gateway.core.setup.routes.all[0].slots
    return {note.code for slot in slots for note in lint_slot(house.gateway.core, slot)}


async def sent(house: House) -> bytes:
    house.world.records_bodies = True
    answer = await house.client.request("POST", "/v1/chat/completions", PING)
    assert answer.status == 200, answer.body
    return house.seen()[-1].body.encode()


@pytest.mark.case("gateway OV-01")
async def test_an_override_is_in_the_body_and_hides_the_slots_thinking(build: Build) -> None:
    house = build(route(f'ci/kimi-k2.6|thinking = "medium", override = {DISABLED}'))
    assert json.loads(await sent(house))["thinking"] == {"type": "disabled"}
    assert "PL-LINT-SHADOW" in codes(house)
    assert "PL-LINT-SHADOW" not in codes(build(route(f"ci/kimi-k2.6|override = {DISABLED}")))


@pytest.mark.case("gateway OV-02")
@pytest.mark.parametrize("name", ["openaiCompatible", "openai", "anthropic", "moonshot"])
async def test_a_pasted_namespace_is_unwrapped(build: Build, name: str) -> None:
    plain = build(route(f"ci/kimi-k2.6|override = {DISABLED}"))
    pasted = build(route(f"ci/kimi-k2.6|override = {{ {name} = {DISABLED} }}"))
    assert await sent(pasted) == await sent(plain)


@pytest.mark.case("gateway OV-03")
async def test_a_budget_is_sent_and_said_to_be_odd(build: Build) -> None:
    override = '{ thinking = { type = "enabled", budget_tokens = 25000 } }'
    house = build(route(f"ci/kimi-k2.6|override = {override}"))
    assert json.loads(await sent(house))["thinking"] == {"type": "enabled", "budget_tokens": 25000}
    assert "PL-LINT-BUDGET" in codes(house)


@pytest.mark.case("gateway OV-06")
@pytest.mark.parametrize(
    "slot",
    [
        f'ci/kimi-k2.6|thinking = "medium", override = {DISABLED}',
        "ci/kimi-k3|override = { max_completion_tokens = 32 }",
        'work/kimi-for-coding|thinking = "high", override = { metadata = { user_id = "team" } }',
        "work/kimi-for-coding",
    ],
)
async def test_a_preview_is_the_body_that_leaves(build: Build, slot: str) -> None:
    house = build(route(slot))
    (preview,) = previewed(house)
    assert not house.seen()
    assert preview.body == await sent(house)
    final = json.loads(preview.body)
    after = {change.key: json.loads(change.after) for change in preview.changes if change.after is not None}
    assert after.keys() | set(preview.same) == final.keys()
    assert all(final[key] == value for key, value in after.items())


async def test_each_change_has_its_cause(build: Build) -> None:
    override = "{ safety_identifier = 'team', max_tokens = 7 }"
    house = build(route(f'work/kimi-for-coding|thinking = "low", override = {override}'))
    causes = {change.key: change.cause for change in previewed(house)[0].changes}
    assert causes["model"] == causes["thinking"] == causes["output_config"] == "slot"
    assert causes["safety_identifier"] == causes["max_tokens"] == "override"
    assert causes["stream"] == "rule"


@pytest.mark.parametrize(
    ("slot", "code"),
    [
        ("ci/kimi-k3|override = { thinking = { type = 'enabled' }, reasoning_effort = 'low' }", "PL-LINT-THINKING"),
        (f"ci/kimi-k2.7-code|override = {DISABLED}", "PL-LINT-THINKING"),
        ("ci/kimi-k2.6|override = { temperature = 0.3 }", "PL-LINT-TEMPERATURE"),
        ("ci/kimi-k2.6|thinking = 'off', override = { temperature = 1.0 }", "PL-LINT-TEMPERATURE"),
        ("ci/kimi-k3|override = { reasoning_effort = 'huge' }", "PL-LINT-EFFORT"),
        ("ci/kimi-k2.7-code|override = { tool_choice = 'required' }", "PL-LINT-TOOLCHOICE"),
        ("ci/kimi-k2.6|max_input_tokens = 300000", "PL-LINT-WINDOW"),
    ],
)
async def test_what_is_odd_is_named(build: Build, slot: str, code: str) -> None:
    assert codes(build(route(slot))) == {code}


@pytest.mark.parametrize(
    "slot",
    [
        "ci/kimi-k2.6|override = { temperature = 1.0, top_p = 0.95 }",
        "ci/kimi-k2.6|thinking = 'off', override = { temperature = 0.6 }",
        "ci/kimi-k3|override = { reasoning_effort = 'max', tool_choice = 'required' }",
        "ci/kimi-k2.6|thinking = 'medium'",
        "work/kimi-for-coding|thinking = 'off'",
    ],
)
async def test_what_the_vendor_takes_is_not_odd(build: Build, slot: str) -> None:
    assert codes(build(route(slot))) == set()


@pytest.mark.case("gateway PA-06")
async def test_a_model_that_cannot_stop_thinking_is_sent_nothing_of_it(build: Build) -> None:
    house = build(route("ci/kimi-k2.7-code|thinking = 'off'"))
    body = json.loads(await sent(house))
    assert not {"thinking", "reasoning_effort"} & body.keys()
    assert codes(house) == {"PL-LINT-THINKING"}
