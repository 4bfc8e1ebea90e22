"""The surface in front: paths, bases, models, the door."""

import pytest

from .conftest import Build, route

DIALECTS = ["chat", "responses", "messages"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("slot", ["work/kimi-for-coding", "ci/kimi-k2.6", "ci/kimi-k3", "router/moonshotai/kimi-k2.6"])
async def test_every_dialect_is_answered_by_every_plan(build: Build, dialect: str, stream: bool, slot: str) -> None:
    house = build(route(slot))
    answer = await house.client.ask(dialect, stream=stream)
    assert answer.status == 200, answer.body
    assert b"PONG from sandbox" in answer.body.replace(b'","', b"") or stream
    assert house.in_flight() == 0
    assert house.rows.requests[0].outcome == "ok"
    assert house.rows.requests[0].usage.output_total
