"""Web sessions: what of a paste is taken, and what an account's reading becomes with one."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.loopback import Asked, LoopbackServer, answer, loopback_server
from tests.support.samples import NOW, binding, body_of

from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.core.secret import Secret
from perilune.net.control import ControlClient
from perilune.providers.contract.holders import holder_digest
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.registry import plan
from perilune.providers.contract.sources import Surroundings
from perilune.providers.kimi_code import read, web_read, web_session
from perilune.providers.kimi_code.pasted import session_in
from perilune.quota.snapshot import Snapshot

PLAN = plan("kimi-code")
assert PLAN is not None
JWT = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ1XzEifQ.EXAMPLE"
STATS, SUBSCRIPTION = "GetSubscriptionStats", "GetSubscription"
SUBSCRIBED = {"active": True, "subscription": {"goods": {"title": "Pro"}, "status": "SUBSCRIPTION_STATUS_ACTIVE"}}


def jwt(**claims: Any) -> str:
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "HS512"}, claims)]
    return ".".join([*parts, "EXAMPLE"])


def bind(text: str, region: str = "cn", at: datetime = NOW, environment: dict[str, str] | None = None) -> Binding:
    assert PLAN is not None
    place = PLAN.region(region)
    assert place is not None
    around = Surroundings(environment=environment or {}, home=Path("nowhere"), now=at, salt=b"salt")
    if environment is None:
        return web_session.bind_pasted("work", PLAN, place, Secret(text), around)
    found = web_session.bind_environment("work", PLAN, place, around)
    assert found is not None
    return found


def refused(*given: Any, **more: Any) -> PeriluneError:
    with pytest.raises(PeriluneError) as caught:
        bind(*given, **more)
    return caught.value


@pytest.mark.case("accounts 9.1")
@pytest.mark.parametrize("name", ["KIMI_AUTH_TOKEN", "kimi_auth_token", "KIMI_MANUAL_COOKIE"])
@pytest.mark.parametrize(
    "text", ["eyJh.eyJi.sig", '"eyJh.eyJi.sig"', "Bearer eyJh.eyJi.sig", " kimi-auth=eyJh.eyJi.sig"]
)
def test_a_token_is_found_in_the_environment(name: str, text: str) -> None:
    assert bind("", environment={name: text}).secret.reveal() == "eyJh.eyJi.sig"


@pytest.mark.case("accounts 9.2")
@pytest.mark.parametrize(
    "text",
    [
        f"kimi-auth={JWT}; theme=dark",
        f"kimi-auth: {JWT}",
        f"Cookie: a=b; kimi-auth={JWT}",
        f"Cookie: a=b; kimi-auth={JWT}; not-kimi-auth=eyJx.eyJy.z",
        f"curl 'https://www.kimi.com/x' -H 'Cookie: a=b; kimi-auth={JWT}; c=d' --compressed",
        f'curl "https://www.kimi.com/x" -H "cookie: kimi-auth={JWT}"',
        f"curl https://www.kimi.com/x --header 'Cookie: kimi-auth={JWT}'",
        f"curl -b 'kimi-auth={JWT}' https://www.kimi.com/x",
        f'curl --cookie "a=b; kimi-auth={JWT}" https://www.kimi.com/x',
        f"curl https://www.kimi.com/x -H 'Authorization: Bearer {JWT}'",
        f"authorization: Bearer {JWT}",
        f"Bearer {JWT}",
        f'"{JWT}"',
        JWT,
    ],
)
def test_of_a_paste_only_the_token_is_kept(text: str) -> None:
    assert PLAN is not None
    assert session_in(Secret(text), PLAN).token.reveal() == JWT


@pytest.mark.case("accounts 9.3")
@pytest.mark.parametrize(
    "text",
    ["test.jwt.token", "abc", "", "curl https://www.kimi.com/x -H 'Cookie: a=b'", "eyJ.a", "eyJa..c", "x" * 200_000,
     "authorization: Bearer sk-kimi-EXAMPLE", "not-kimi-auth=eyJa.b.c", "kimi-auth=кот"],
)  # fmt: skip
def test_anything_else_is_refused_and_not_sent(text: str) -> None:
    assert refused(text).problem.code == "PL-COOKIE-SHAPE"
    if text:
        problem = refused("", environment={"KIMI_AUTH_TOKEN": text}).problem
        assert (problem.code, problem.variant, problem.facts["name"]) == ("PL-COOKIE-SHAPE", "env", "KIMI_AUTH_TOKEN")


@pytest.mark.case("accounts 9.4")
def test_a_token_is_over_when_its_own_time_is() -> None:
    def at(second: int) -> datetime:
        return datetime.fromtimestamp(second, UTC)

    assert refused(jwt(exp=100), at=at(101)).problem.code == "PL-COOKIE-EXPIRED"
    assert bind(jwt(exp=100), at=at(99)).source == "web-session"
    assert bind("kimi-auth=opaque", at=at(101)).secret.reveal() == "opaque"
    assert bind("eyJ_.not-json.x").secret.reveal() == "eyJ_.not-json.x"


def test_an_expired_token_says_since_when() -> None:
    problem = refused(jwt(exp=int(datetime(2026, 11, 18, 9, 12, tzinfo=UTC).timestamp()))).problem
    english, chinese = (Voice(language=language, now=NOW).explain(problem) for language in ("en", "zh-CN"))
    assert english.what == "The Kimi web token expired 2d ago (Wed 18 Nov 09:12)."
    assert chinese.what == "网页令牌已于 11月18日 周三 09:12 过期（2 天前）"


@pytest.mark.case("accounts 9.5")
def test_a_refresh_token_is_refused() -> None:
    problem = refused(jwt(typ="refresh", sub="u")).problem
    assert (problem.code, problem.variant) == ("PL-COOKIE-SHAPE", "refresh")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (jwt(iss="https://www.kimi.ai"), "intl"),
        (jwt(aud=["kimi.com"]), "cn"),
        (jwt(iss="https://kimi.com.example.org"), None),
        (jwt(iss="kimi.ai", aud="kimi.com"), None),
        ("curl https://www.kimi.ai/apiv2/x -b 'kimi-auth=opaque'", "intl"),
        ("kimi-auth=opaque", None),
    ],
)
def test_the_region_is_what_the_token_or_the_address_names(text: str, region: str | None) -> None:
    assert PLAN is not None
    assert session_in(Secret(text), PLAN).region == region


def test_a_session_of_another_region_is_not_bound() -> None:
    assert refused(jwt(iss="https://www.kimi.ai")).problem.code == "PL-401-HOST"
    bound = bind(jwt(iss="https://www.kimi.ai"), "intl")
    assert bound.bound.hosts == ("www.kimi.ai",)


class Site:
    """The API and the web site of one region, on one loopback server."""

    def __init__(self, server: LoopbackServer) -> None:
        self.server = server
        self.bodies: dict[str, Any] = {
            "usages": body_of("code-usages-quota-model"),
            "GetUsages": body_of("web-getusages-ok"),
            STATS: body_of("web-getsubscriptionstats-ok"),
            SUBSCRIPTION: SUBSCRIBED,
        }
        self.status: dict[str, int] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.refused: set[str] = set()
        server.reply = self.reply

    async def reply(self, asked: Asked) -> bytes:
        call = asked.path.rpartition("/")[2]
        if call in self.held:
            await self.held[call].wait()
        token = asked.headers["authorization"].removeprefix("Bearer ")
        if token in self.refused:
            return answer(401, json.dumps(body_of("web-unauthenticated")).encode())
        return answer(self.status.get(call, 200), json.dumps(self.bodies[call]).encode())

    @property
    def calls(self) -> list[str]:
        return [asked.path.rpartition("/")[2] for asked in self.server.requests]

    def asked(self, call: str) -> Asked:
        return next(asked for asked in self.server.requests if asked.path.endswith(f"/{call}"))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with loopback_server() as server:
        yield Site(server)


@pytest.fixture
async def client(site: Site) -> AsyncIterator[ControlClient]:
    async with ControlClient(upstream=site.server.url, retry_pause_s=(0, 0)) as made:
        yield made


def ratio(snapshot: Snapshot, window: str) -> str | None:
    found = next((one for one in snapshot.windows if one.id == window), None)
    return None if found is None or found.used_ratio is None else str(found.used_ratio)


@pytest.mark.case("accounts 9.6")
async def test_the_headers_are_made_of_the_claims_that_are_there(site: Site, client: ControlClient) -> None:
    token = jwt(sub="u_1", device_id="70001", exp=4_102_444_800)
    await read.read(bind(token), client, NOW)
    asked = site.asked("GetUsages")
    assert asked.path == "/www.kimi.com/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"
    assert (asked.method, json.loads(asked.body)) == ("POST", {"scope": ["FEATURE_CODING"]})
    assert asked.headers["cookie"] == f"kimi-auth={token}"
    assert asked.headers["authorization"] == f"Bearer {token}"
    assert (asked.headers["x-traffic-id"], asked.headers["x-msh-device-id"]) == ("u_1", "70001")
    assert "x-msh-session-id" not in asked.headers
    assert asked.headers["referer"] == "https://www.kimi.com/code/console"
    assert asked.headers["user-agent"].startswith("perilune/")


async def test_a_claim_that_is_no_header_text_leaves_its_header_out(site: Site, client: ControlClient) -> None:
    await read.read(bind(jwt(sub="u\r\nx: y", ssid="кот", device_id=70_001)), client, NOW)
    named = {name for name in site.asked("GetUsages").headers if name.startswith("x-")}
    assert named == {"x-msh-platform", "x-language", "x-msh-device-id"}


async def test_a_session_reads_windows_month_and_title(site: Site, client: ControlClient) -> None:
    snapshot = await read.read(bind(jwt(sub="u_1")), client, NOW)
    assert (snapshot.source, snapshot.plan_title) == ("web-session", "Pro")
    assert [ratio(snapshot, window) for window in ("5h", "7d", "month")] == ["0.15", "0.4471", "0.3125"]
    assert snapshot.origin == "www.kimi.com/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"
    assert await read.profile(bind(jwt(sub="u_1")), client, snapshot)
    assert sorted(site.calls) == sorted(["GetUsages", STATS, SUBSCRIPTION])


@pytest.mark.case("accounts 6.6")
async def test_a_call_beside_that_fails_costs_only_itself(site: Site, client: ControlClient) -> None:
    site.status[SUBSCRIPTION] = 500
    snapshot = await read.read(bind(jwt(sub="u_1")), client, NOW)
    assert (ratio(snapshot, "month"), snapshot.plan_title) == ("0.3125", None)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_session_is_told_as_such(site: Site, client: ControlClient, status: int) -> None:
    site.status["GetUsages"] = status
    with pytest.raises(PeriluneError) as caught:
        await read.read(bind(jwt(sub="u_1")), client, NOW)
    assert (caught.value.problem.code, caught.value.problem.variant) == ("PL-COOKIE-EXPIRED", "refused")
    site.status["GetUsages"] = 200
    site.bodies["GetUsages"] = {"code": "unauthenticated"}
    with pytest.raises(PeriluneError) as caught:
        await read.read(bind(jwt(sub="u_1")), client, NOW)
    assert caught.value.problem.code == "PL-COOKIE-EXPIRED"


@pytest.mark.case("accounts 4.6")
async def test_an_answer_without_the_coding_feature_is_not_understood(site: Site, client: ControlClient) -> None:
    site.bodies["GetUsages"] = {"usages": [{"scope": "OTHER_SCOPE", "detail": {"limit": "100", "used": "1"}}]}
    with pytest.raises(PeriluneError) as caught:
        await read.read(bind(jwt(sub="u_1")), client, NOW)
    assert caught.value.problem.code == "PL-PARSE"


@pytest.mark.case("accounts 3.3")
async def test_what_is_late_is_left_out_without_an_error(site: Site, client: ControlClient) -> None:
    site.held[STATS] = asyncio.Event()
    calls = web_read.enrichment(iter([bind(jwt(sub="u_1"))]), client, NOW)
    api = await read.read(binding(), client, NOW)
    async with asyncio.timeout(web_read.GRACE_S + 3):
        snapshot = await web_read.enriched(api, calls, grace_s=0.2)
    site.held[STATS].set()
    assert ratio(snapshot, "month") == ratio(api, "month")
    assert all(r.origin != "web-stats" for window in snapshot.windows for r in window.readings)


async def enriched(site: Site, client: ControlClient, token: str, identity: str | None) -> Snapshot:
    import msgspec

    calls = web_read.enrichment(iter([bind(token)]), client, NOW)
    api = await read.read(binding(), client, NOW)
    return await web_read.enriched(msgspec.structs.replace(api, identity=identity), calls)


async def test_a_session_of_the_same_person_is_merged(site: Site, client: ControlClient) -> None:
    site.bodies[STATS]["subscriptionBalance"]["amountUsedRatio"] = 0.5
    snapshot = await enriched(site, client, jwt(sub="u_1"), holder_digest("kimi-code", "u_1"))
    assert site.asked(STATS).headers["cookie"].startswith("kimi-auth=eyJ")
    assert "GetUsages" not in site.calls
    assert (ratio(snapshot, "month"), snapshot.plan_title, snapshot.web_identity) == ("0.5", "Pro", "same")


@pytest.mark.case("accounts 3.13")
async def test_a_session_of_another_person_adds_nothing(site: Site, client: ControlClient) -> None:
    site.bodies["usages"] = body_of("code-usages-legacy")
    snapshot = await enriched(site, client, jwt(sub="u_2"), holder_digest("kimi-code", "u_1"))
    assert ratio(snapshot, "month") is None
    assert (snapshot.plan_title, snapshot.web_identity) == ("Allegretto", "other")


@pytest.mark.case("accounts 3.14")
async def test_a_session_of_an_unknown_person_is_shown_and_does_not_count(site: Site, client: ControlClient) -> None:
    site.bodies["usages"] = {"usages": {"limit_5h": {"used_ratio": 0.1, "reset_time": "2026-11-20T14:00:00Z"}}}
    site.bodies[STATS]["subscriptionBalance"]["amountUsedRatio"] = 1.0
    snapshot = await enriched(site, client, jwt(exp=4_102_444_800), holder_digest("kimi-code", "u_1"))
    [five, month] = snapshot.windows
    assert (five.is_reliable, month.id, month.is_reliable) == (True, "month", False)
    assert [reading.origin for reading in month.readings] == ["web"]
    assert (snapshot.plan_title, snapshot.web_identity) == ("Pro", "unknown")


async def test_of_several_sessions_the_first_that_is_not_refused_enriches(site: Site, client: ControlClient) -> None:
    first, second = jwt(sub="u_1", n=1), jwt(sub="u_1", n=2)
    site.refused.add(first)
    calls = web_read.enrichment(iter([bind(first), bind(second)]), client, NOW)
    told = await calls.told()
    assert told is not None
    assert told.binding.secret.reveal() == second


async def test_nothing_of_a_session_reaches_an_error_or_a_snapshot(site: Site, client: ControlClient) -> None:
    token = jwt(sub="u_secret")
    snapshot = await read.read(bind(token), client, NOW)
    assert token not in repr(snapshot)
    assert "u_secret" not in repr(snapshot)
    site.status["GetUsages"] = 500
    site.bodies["GetUsages"] = {"message": f"bad {token}"}
    with pytest.raises(PeriluneError) as caught:
        await read.read(bind(token), client, NOW)
    assert token not in str(caught.value) + repr(caught.value.problem)
