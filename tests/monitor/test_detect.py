"""Detection: order, verdicts, time."""

import asyncio

import pytest

from perilune.core.secret import Secret
from perilune.monitor.detect import Target, detect, judge, targets
from perilune.providers.contract.probing import Probed, Verdict
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.registry import providers

PLANS = {name: provider.plan for name, provider in providers().items()}
KEY = Secret("sk-EXAMPLE")
ALL = ("api.kimi.com", "api.kimi.ai", "api.moonshot.ai", "api.moonshot.cn")


class Hosts:
    """Hosts that answer as they are told; those left out never answer."""

    def __init__(self, **verdicts: Verdict) -> None:
        self.verdicts = {name.replace("_", "."): verdict for name, verdict in verdicts.items()}
        self.asked: list[str] = []
        self.limits: list[float] = []

    async def ask(self, binding: Binding, limit_s: float) -> Probed:
        self.asked.append(binding.host)
        self.limits.append(limit_s)
        verdict = self.verdicts.get(binding.host.removeprefix("api."))
        if verdict is None:
            await asyncio.Event().wait()
        assert verdict is not None
        return Probed(host=binding.host, url=binding.base, verdict=verdict)


def _asked(targets_: list[Target]) -> list[str]:
    return [target.host for target in targets_]


def test_the_plan_that_a_key_looks_like_comes_first() -> None:
    assert _asked(targets(PLANS, first="kimi-code")) == list(ALL)
    assert _asked(targets(PLANS, first="moonshot")) == [*ALL[2:], *ALL[:2]]


def test_plan_region_and_policy_narrow_the_hosts() -> None:
    assert _asked(targets(PLANS, first="kimi-code", plan="moonshot", region="cn")) == ["api.moonshot.cn"]
    assert _asked(targets(PLANS, first="kimi-code", region="intl")) == ["api.kimi.ai", "api.moonshot.ai"]
    assert _asked(targets(PLANS, first="kimi-code", allowed_hosts=["api.kimi.ai"])) == ["api.kimi.ai"]
    assert _asked(targets(PLANS, first="openrouter")) == ["openrouter.ai"]


async def test_asking_stops_at_the_pair_that_accepts() -> None:
    hosts = Hosts(kimi_com="refused", kimi_ai="accepted")
    found = await detect(KEY, targets(PLANS, first="kimi-code"), hosts.ask)
    assert (found.outcome, hosts.asked) == ("accepted", ["api.kimi.com", "api.kimi.ai"])
    assert found.chosen is not None
    assert found.chosen.target.region.id == "intl"


@pytest.mark.case("experience F4")
async def test_the_second_pair_gets_what_is_left() -> None:
    hosts = Hosts(kimi_com="refused", kimi_ai="refused", moonshot_ai="refused", moonshot_cn="refused")
    found = await detect(KEY, targets(PLANS, first="kimi-code"), hosts.ask)
    assert (found.outcome, hosts.asked) == ("refused", list(ALL))
    assert hosts.limits[:2] == [5.0, 5.0]
    assert all(1.0 <= limit <= 5.0 for limit in hosts.limits)


async def test_one_that_accepts_does_not_wait_long_for_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perilune.monitor.detect._GRACE_S", 0.01)
    found = await detect(KEY, targets(PLANS, first="kimi-code"), Hosts(kimi_ai="accepted").ask)
    assert (found.outcome, [one.target.host for one in found.tried]) == ("accepted", ["api.kimi.ai"])


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        (("accepted", "refused"), "accepted"),
        (("accepted", "accepted"), "ambiguous"),
        (("no-plan", "refused"), "probable"),
        (("refused", "throttled"), "probable"),
        (("refused", "refused"), "refused"),
        (("refused", "not-reached"), "unsure"),
        (("not-reached", "not-reached"), "not-reached"),
        (("forbidden", "refused"), "forbidden"),
        (("forbidden", "not-reached"), "forbidden"),
    ],
)
async def test_what_verdicts_come_to(verdicts: tuple[Verdict, Verdict], outcome: str) -> None:
    hosts = Hosts(kimi_com=verdicts[0], kimi_ai=verdicts[1])
    found = await detect(KEY, targets(PLANS, plan="kimi-code"), hosts.ask)
    assert judge(found.tried).outcome == outcome
