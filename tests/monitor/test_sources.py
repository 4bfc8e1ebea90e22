"""Accounts with several credential sources, read as the service reads them."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from perilune.compose.workbench import Workbench
from perilune.core.errors import CredentialError
from perilune.monitor.collect import Collected, Collector
from perilune.monitor.sources import SourceOption
from perilune.monitor.target import Target
from perilune.providers.contract.reading import Binding
from perilune.sandbox import SandboxThread, keys
from perilune.sandbox.identity import web_session
from perilune.store.snapshots import Snapshots

USAGES = "/coding/v1/usages"
GET_USAGES = "/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages"


class House:
    """One machine: a configuration, a home, the vendors."""

    def __init__(self, sandbox: SandboxThread) -> None:
        self.sandbox = sandbox
        self.environment: dict[str, str] = {}

    def account(self, **fields: Any) -> None:
        folder = Path(os.environ["PERILUNE_HOME"])
        folder.mkdir(parents=True, exist_ok=True)
        whole = {"name": "work", "plan": "kimi-code", "region": "cn"} | fields
        lines = [f"{name} = {json.dumps(value)}" for name, value in whole.items()]
        file = folder / "config.toml"
        file.write_text("\n".join(["schema = 1", "[[accounts]]", *lines, ""]), encoding="utf-8")
        file.chmod(0o600)

    def login(self, *, left_s: float = 3600, token: str | None = None) -> None:
        file = Path.home() / ".kimi-code" / "credentials" / "kimi-code.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        access = token or self.sandbox.world.logins.issue("kimi-cn", self.sandbox.world.now()).access
        at = Workbench(os.environ).now().timestamp()
        file.write_text(json.dumps({"access_token": access, "refresh_token": "r", "expires_at": at + left_s}))

    @property
    def workbench(self) -> Workbench:
        return Workbench({**os.environ, **self.environment})

    def target(self) -> Target:
        [target] = self.workbench.monitoring.targets()
        return target

    async def read(self, target: Target | None = None, *, with_profile: bool = False) -> Collected:
        workbench = self.workbench
        async with workbench.control_client() as client:
            snapshots = Snapshots(workbench.monitoring.store)
            collector = Collector(snapshots, client, clock=workbench.now, owner="test")
            try:
                return await collector.collect(target or self.target(), is_forced=True, with_profile=with_profile)
            finally:
                workbench.monitoring.store.close()

    @property
    def asked(self) -> list[str]:
        return [f"{one.host}{one.path}" for one in self.sandbox.world.journal.select(path="*")]


@pytest.fixture
def house(sandbox: SandboxThread) -> House:
    return House(sandbox)


def code(collected: Collected) -> str | None:
    return collected.problem.code if collected.problem else None


def windows(collected: Collected) -> dict[str, list[str]]:
    assert collected.snapshot is not None
    return {window.id: [reading.origin for reading in window.readings] for window in collected.snapshot.windows}


@pytest.mark.case("accounts 3.1")
async def test_with_the_cookie_source_off_a_key_makes_one_request(house: House) -> None:
    house.account(key="env:K")
    house.environment["K"] = keys.KIMI_CN
    read = await house.read()
    assert read.outcome == "read"
    assert house.asked == [f"api.kimi.com{USAGES}"]
    assert not [origin for origins in windows(read).values() for origin in origins if "web" in origin]
    assert "7d" in windows(read)


@pytest.mark.case("accounts 3.2")
async def test_a_web_session_of_the_same_person_enriches_the_keys_reading(house: House) -> None:
    house.account(key="env:K", cookie_source="manual")
    house.environment |= {"K": keys.KIMI_CN, "KIMI_AUTH_TOKEN": web_session("cn", "u_0001")}
    await house.read(with_profile=True)
    read = await house.read()
    assert read.snapshot is not None
    assert (read.snapshot.source, read.snapshot.web_identity) == ("api-key", "same")
    assert windows(read)["month"] == ["usages", "web-stats", "web-subscription"]
    assert read.snapshot.plan_title == "Allegretto"
    assert f"www.kimi.com{GET_USAGES}" not in house.asked


async def test_a_web_session_of_another_person_is_told_and_not_merged(house: House) -> None:
    house.sandbox.world.accounts["kimi-cn"].user_id = "u_0009"  # type: ignore[union-attr]
    house.account(key="env:K", cookie_source="manual")
    house.environment |= {"K": keys.KIMI_CN, "KIMI_AUTH_TOKEN": web_session("cn", "u_0001")}
    await house.read(with_profile=True)
    read = await house.read()
    assert read.snapshot is not None
    assert (read.snapshot.web_identity, windows(read)["month"]) == ("other", ["usages"])


@pytest.mark.case("accounts 3.4")
async def test_an_expired_login_alone_is_told_with_its_remedy(house: House) -> None:
    house.account()
    house.login(left_s=-60)
    read = await house.read()
    assert code(read) == "PL-LOGIN-EXPIRED"
    assert house.asked == []


@pytest.mark.case("accounts 3.5")
async def test_a_named_source_without_a_credential_uses_no_other(house: House) -> None:
    house.account(source="api-key")
    house.login()
    assert code(await house.read()) == "PL-CRED-NONE"
    assert house.asked == []


@pytest.mark.case("accounts 3.6")
async def test_a_named_key_that_is_refused_is_asked_once(house: House) -> None:
    house.account(source="api-key", key="env:K")
    house.environment["K"] = "sk-kimi-EXAMPLE-refused-0001"
    house.login()
    assert code(await house.read()) == "PL-401-KEY"
    assert house.asked == [f"api.kimi.com{USAGES}"]


async def test_a_refused_key_gives_way_to_the_login_and_stays_on_record(house: House) -> None:
    house.account(key="env:K")
    house.environment["K"] = "sk-kimi-EXAMPLE-refused-0001"
    house.login()
    read = await house.read()
    assert read.snapshot is not None
    assert read.snapshot.source == "cli-login"
    assert [(one.source, one.code, one.host) for one in read.snapshot.tried] == [
        ("api-key", "PL-401-KEY", "api.kimi.com")
    ]
    [account] = house.workbench.monitoring.status([], _voice()).accounts
    [note] = account.notes
    assert note.message.startswith("api.kimi.com refuses the key of work since ")
    assert (account.error, account.state) == (None, "ok")


@pytest.mark.case("accounts 2.9")
async def test_a_refused_login_gives_way_to_a_web_session(house: House) -> None:
    house.account(source="cli-login")
    house.login(token="at-EXAMPLE-unknown")
    read = await house.read()
    assert read.problem is not None
    assert (read.problem.code, read.problem.variant) == ("PL-LOGIN-EXPIRED", "refused")
    assert house.workbench.monitoring.known(house.workbench.configuration().config.accounts[0])
    house.account()
    house.environment["KIMI_AUTH_TOKEN"] = web_session("cn")
    read = await house.read()
    assert read.snapshot is not None
    assert read.snapshot.source == "web-session"


@pytest.mark.case("accounts 3.7")
async def test_a_host_that_was_not_reached_is_not_asked_again_with_another_credential(house: House) -> None:
    house.sandbox.world.queue_fault(host="api.kimi.com", reset="head", count=None)
    house.account(key="env:K")
    house.environment["K"] = keys.KIMI_CN
    house.login()
    read = await house.read()
    assert code(read) == "PL-NET-REFUSED"
    assert {one.fingerprint for one in house.sandbox.world.journal.select(path="*")} == {
        house.sandbox.world.journal.select(path="*")[0].fingerprint
    }


async def test_another_host_may_answer_where_one_was_not_reached(house: House) -> None:
    house.sandbox.world.queue_fault(host="api.kimi.com", status=500, count=None)
    house.account(key="env:K")
    house.environment |= {"K": keys.KIMI_CN, "KIMI_AUTH_TOKEN": web_session("cn")}
    read = await house.read()
    assert read.snapshot is not None
    assert read.snapshot.source == "web-session"


@pytest.mark.case("accounts 3.8")
async def test_an_answer_that_is_not_understood_gives_way_to_the_login(house: House) -> None:
    house.sandbox.world.queue_fault(path=USAGES, body="{ invalid json }", status=200, count=1)
    house.account(key="env:K")
    house.environment["K"] = keys.KIMI_CN
    house.login()
    read = await house.read()
    assert read.snapshot is not None
    assert read.snapshot.source == "cli-login"


async def test_without_a_membership_another_source_reads_and_the_verdict_stays(house: House) -> None:
    house.account(key="env:K")
    house.environment |= {"K": keys.KIMI_CN, "KIMI_AUTH_TOKEN": web_session("cn")}
    house.sandbox.world.queue_fault(path=USAGES, status=402, body="{}", count=None)
    read = await house.read()
    assert read.snapshot is not None
    status = house.workbench.monitoring.status([], _voice(), is_verbose=True)
    [account] = status.accounts
    assert (account.source, account.effective.blocked_by) == ("web-session", "membership")
    assert account.windows


@pytest.mark.case("accounts 3.9")
async def test_cancelling_asks_no_further_source(house: House) -> None:
    asked = asyncio.Event()
    opened: list[str] = []

    def later() -> Iterator[Binding]:
        opened.append("later")
        raise CredentialError.of("PL-COOKIE-NONE")

    house.account(key="env:K")
    house.environment["K"] = keys.KIMI_CN
    target = house.target()
    late = SourceOption(source="web-session", host="www.kimi.com", open=later, is_late=True)

    class Slow:
        async def read(self, *_: Any) -> Any:
            asked.set()
            await asyncio.Event().wait()

    from perilune.monitor.sources import open_sources, read_sources

    target = replace(target, sources=(target.sources[0], late))
    opened_sources = await asyncio.to_thread(open_sources, target)
    async with house.workbench.control_client() as client:
        task = asyncio.ensure_future(
            read_sources(target, opened_sources, Slow(), client, house.workbench.now(), None)  # type: ignore[arg-type]
        )
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert opened == []


@pytest.mark.case("accounts 3.10")
async def test_refused_sessions_give_way_in_order_and_equal_ones_are_asked_once(house: House) -> None:
    good = web_session("cn")
    first, second = web_session("cn", "gone-1"), web_session("cn", "gone-2")
    house.account(source="web-session", cookie_source="auto")
    target = with_sessions(house, [first, second, first, good])
    read = await house.read(target)
    assert read.snapshot is not None
    refused = [one.code for one in read.snapshot.tried]
    assert refused == ["PL-COOKIE-EXPIRED", "PL-COOKIE-EXPIRED"]
    asked = house.sandbox.world.journal.select(path=f"*{GET_USAGES}")
    assert [one.status for one in asked] == [401, 401, 200]


@pytest.mark.case("accounts 3.11")
async def test_once_a_session_is_accepted_no_further_store_is_opened(house: House) -> None:
    house.account(source="web-session", cookie_source="auto")
    target = with_sessions(house, [web_session("cn"), None])
    read = await house.read(target)
    assert read.outcome == "read"


async def test_trouble_on_the_way_stops_the_sessions(house: House) -> None:
    house.sandbox.world.queue_fault(path=GET_USAGES, status=500, count=None)
    house.account(source="web-session", cookie_source="auto")
    read = await house.read(with_sessions(house, [web_session("cn"), None]))
    assert code(read) == "PL-5XX-READ"


def with_sessions(house: House, tokens: list[str | None]) -> Target:
    """The account's target with these sessions; opening a None is a failure of the test."""
    from perilune.core.secret import Secret

    target = house.target()
    plan = house.workbench.plans["kimi-code"]
    region = plan.region("cn")
    assert region is not None

    def open_() -> Iterator[Binding]:
        for token in tokens:
            assert token is not None
            yield Binding(
                account="work", plan=plan, region=region, secret=Secret(token), base_url=region.web,
                source="web-session", salt=b"salt",
            )  # fmt: skip

    return replace(target, sources=(replace(target.sources[0], open=open_),))


@pytest.mark.case("accounts 3.12")
@pytest.mark.parametrize("value", ["", "   ", None])
async def test_in_manual_mode_no_browser_is_opened(house: House, value: str | None) -> None:
    profile = Path.home() / ".config" / "chromium" / "Default"
    profile.mkdir(parents=True)
    (profile / "Cookies").write_bytes(b"would fail to be read as a database")
    house.account(source="web-session", cookie_source="manual")
    if value is not None:
        house.environment["KIMI_AUTH_TOKEN"] = value
    before = (profile / "Cookies").stat().st_atime_ns
    assert code(await house.read()) == "PL-COOKIE-NONE"
    assert (profile / "Cookies").stat().st_atime_ns == before
    assert house.asked == []


async def test_a_saved_paste_reads_the_account(house: House) -> None:
    house.workbench.vault.store("work.web", _secret(web_session("cn")))
    house.account(source="web-session", cookie_source="manual", web_session="vault:work.web")
    read = await house.read()
    assert read.snapshot is not None
    assert (read.snapshot.source, read.snapshot.identity is not None) == ("web-session", True)


async def test_an_account_with_its_own_address_is_read_by_its_key_alone(house: House) -> None:
    house.account(key="env:K", base_url="https://proxy.example.com/kimi", cookie_source="manual")
    house.environment |= {"K": keys.KIMI_CN, "KIMI_AUTH_TOKEN": web_session("cn")}
    house.login()
    target = house.target()
    assert [option.source for option in target.sources] == ["api-key"]
    assert target.sessions is None


async def test_an_implied_account_has_its_key_alone(house: House) -> None:
    house.environment["KIMI_CODE_API_KEY"] = "sk-kimi-EXAMPLE-refused-0001"
    house.login()
    assert code(await house.read()) == "PL-401-KEY"
    assert house.asked == [f"api.kimi.com{USAGES}"]


async def test_what_was_refused_twice_is_not_asked_again_while_another_source_reads(house: House) -> None:
    from datetime import timedelta

    house.account(key="env:K")
    house.environment["K"] = "sk-kimi-EXAMPLE-refused-0001"
    house.login()
    workbench = house.workbench
    moment = workbench.now()
    async with workbench.control_client() as client:
        snapshots = Snapshots(workbench.monitoring.store)
        for minutes in (0, 2, 4):
            at = moment + timedelta(minutes=minutes)
            collector = Collector(snapshots, client, clock=lambda at=at: at, owner="test")  # type: ignore[misc]
            assert (await collector.collect(house.target())).outcome == "read"
    workbench.monitoring.store.close()
    refused = [one for one in house.sandbox.world.journal.select(path=USAGES) if one.status == 401]
    assert len(refused) == 2


def _voice() -> Any:
    from perilune.core.messages import Voice

    return Voice()


def _secret(text: str) -> Any:
    from perilune.core.secret import Secret

    return Secret(text)


async def test_a_source_that_asks_for_a_pause_is_left_alone_while_another_reads(house: House) -> None:
    from datetime import timedelta

    from perilune.sandbox.faults import Fault

    house.account(key="env:K", cookie_source="manual")
    house.environment |= {"K": keys.KIMI_CN, "KIMI_AUTH_TOKEN": web_session("cn", "u_0001")}
    asks = Fault(path=USAGES, status=429, headers={"Retry-After": "600"}, count=None)
    house.sandbox.world.faults.add(asks)
    workbench = house.workbench
    moment, asked = workbench.now(), []
    async with workbench.control_client() as client:
        snapshots = Snapshots(workbench.monitoring.store)
        for minutes in (0, 5, 9, 11):
            at = moment + timedelta(minutes=minutes)
            collector = Collector(snapshots, client, clock=lambda at=at: at, owner="test")  # type: ignore[misc]
            read = await collector.collect(house.target(), is_forced=minutes == 9)
            assert (read.outcome, read.snapshot and read.snapshot.source) == ("read", "web-session")
            asked.append(len(house.sandbox.world.journal.select(path=USAGES)))
    workbench.monitoring.store.close()
    assert asked == [1, 1, 1, 2]
