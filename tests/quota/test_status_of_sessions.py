"""The status document of what the vendor's web site answers, with every sample of it."""

import json
from typing import Any

import msgspec
import pytest
from tests.quota.test_status import FLOORS, VOICE, WORK, demand_valid
from tests.support.loopback import Asked, answer, loopback_server
from tests.support.samples import NOW, binding, body_of

from perilune.core.errors import PeriluneError
from perilune.net.control import ControlClient
from perilune.providers.kimi_code import web_read
from perilune.quota.document import StatusDocument
from perilune.quota.held import Held
from perilune.quota.snapshot import ReadFailure, Snapshot
from perilune.quota.status import build_status

VERBOSE = msgspec.structs.replace(FLOORS, is_verbose=True)


async def session_reading(**bodies: Any) -> Snapshot:
    """What a session reads where each call of the site gives its body; a call without one answers 500."""

    async def reply(asked: Asked) -> bytes:
        body = bodies.get(asked.path.rpartition("/")[2])
        status = 500 if body is None else 401 if body.get("code") == "unauthenticated" else 200
        return answer(status, json.dumps(body).encode())

    async with loopback_server() as server, ControlClient(upstream=server.url, retry_pause_s=()) as client:
        server.reply = reply
        return await web_read.read_session(binding(key="eyJh.eyJi.EXAMPLE"), client, NOW)


def document(held: Held) -> StatusDocument:
    made = build_status([(WORK, held)], NOW, VOICE, VERBOSE)
    demand_valid(made)
    return made


async def test_a_session_that_tells_its_usages_alone_has_no_month() -> None:
    read = await session_reading(GetUsages=body_of("web-getusages-ok"))
    account = document(Held(snapshot=read)).accounts[0]
    assert {window.id for window in account.windows} == {"5h", "7d"}


async def test_a_session_that_tells_all_has_a_month_too() -> None:
    read = await session_reading(
        GetUsages=body_of("web-getusages-ok"), GetSubscriptionStats=body_of("web-getsubscriptionstats-ok")
    )
    account = document(Held(snapshot=read)).accounts[0]
    assert {window.id for window in account.windows} == {"5h", "7d", "month"}


async def test_a_refused_session_is_a_failure_in_the_document() -> None:
    with pytest.raises(PeriluneError) as caught:
        await session_reading(GetUsages=body_of("web-unauthenticated"))
    problem = caught.value.problem
    failed = ReadFailure(account="work", at=NOW, code=problem.code, facts=problem.facts, count=1)
    account = document(Held(failure=failed)).accounts[0]
    assert not account.windows
    assert account.error is not None
    assert account.error.code == "PL-COOKIE-EXPIRED"
