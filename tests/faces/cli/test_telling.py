"""The exact texts of a detection that cannot decide."""

import sys
from typing import Literal

import pytest

from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.faces.adding.telling import failure, removed_text
from perilune.faces.cli.output import Output
from perilune.faces.cli.problem import problem_lines
from perilune.monitor.detect import Target, Tried, judge
from perilune.providers.contract.paste import clean_paste
from perilune.providers.contract.probing import Probed
from perilune.providers.contract.registry import providers

PASTE = '"sk-EXAMPLE0000000000000000000001"\n'

ENGLISH = """\
error[PL-ADD-UNSURE]: api.moonshot.cn not reached; the key may still be right
  tried  api.moonshot.ai 401 · api.kimi.com/coding 401 · api.kimi.ai/coding 401
         api.moonshot.cn not reached (DNS failed)
  why    It is a Moonshot cn key and this network cannot resolve
         api.moonshot.cn, or it is revoked or mistyped.
  fix    1. check the network, then run the same command: perilune doctor
         2. copy the key again: platform.kimi.com or platform.kimi.ai
  note   removed 1 trailing line break and a pair of quotes before trying"""

CHINESE = """\
error[PL-ADD-UNSURE]: 无法连接 api.moonshot.cn，暂不能判断该密钥是否有效
  已试   api.moonshot.ai 401 · api.kimi.com/coding 401 · api.kimi.ai/coding 401
         api.moonshot.cn 未连通（DNS 失败）
  原因   可能是 Moonshot cn 密钥，而当前网络无法解析 api.moonshot.cn；
         也可能密钥已吊销或有误。
  解决   1. 检查网络，再运行同一命令：perilune doctor
         2. 重新复制密钥：platform.kimi.com 或 platform.kimi.ai
  说明   已去除 1 个换行和一对引号后再试"""


def _tried() -> list[Tried]:
    tried = []
    for plan_id, region_id in (("moonshot", "intl"), ("moonshot", "cn"), ("kimi-code", "cn"), ("kimi-code", "intl")):
        plan = providers()[plan_id].plan
        region = plan.region(region_id)
        assert region is not None
        target = Target(plan, region)
        if (plan_id, region_id) == ("moonshot", "cn"):
            problem = Problem(code="PL-NET-DNS", facts={"host": target.host})
            probed = Probed(host=target.host, url=region.read_base, verdict="not-reached", problem=problem)
        else:
            probed = Probed(host=target.host, url=region.read_base, verdict="refused", status=401)
        tried.append(Tried(target, probed))
    return tried


def _lines(voice: Voice) -> str:
    removed = clean_paste(PASTE).removed
    problem = failure(judge(_tried()), removed, voice, is_narrowed=False)
    return "\n".join(problem_lines(problem, voice, Output(sys.stdout, {})))


@pytest.mark.parametrize(
    ("code", "variant", "facts"),
    [
        ("PL-NET-DNS", "", {}),
        ("PL-NET-REFUSED", "", {"port": "443"}),
        ("PL-NET-REFUSED", "cut", {}),
        ("PL-NET-TIMEOUT", "", {"seconds": "5"}),
        ("PL-NET-TLS", "", {"issuer": "Corp Proxy CA"}),
        ("PL-NET-TLS", "unnamed", {}),
        ("PL-NET-PROXY", "down", {"proxy": "http://proxy:3128"}),
        ("PL-NET-REDIRECT", "", {}),
    ],
)
@pytest.mark.parametrize(
    ("language", "said"), [("en", "not reached is not a wrong key"), ("zh-CN", "未连通不等于密钥有误")]
)
def test_silence_never_speaks_against_a_key(
    code: str, variant: str, facts: dict[str, object], language: Literal["en", "zh-CN"], said: str
) -> None:
    target = _tried()[1].target
    problem = Problem(code=code, variant=variant, facts={"host": target.host, **facts})
    probed = Probed(host=target.host, url=target.base, verdict="not-reached", problem=problem)
    voice = Voice(language=language)
    told = failure(judge([Tried(target, probed)]), [], voice, is_narrowed=False)
    assert said in (voice.explain(told).note or "")
    assert voice.explain(told).what == voice.explain(problem).what


def test_the_block_of_a_host_that_was_not_reached_in_english() -> None:
    assert _lines(Voice()) == ENGLISH


def test_the_block_of_a_host_that_was_not_reached_in_chinese() -> None:
    assert _lines(Voice(language="zh-CN")) == CHINESE


def test_the_note_of_a_success_names_quotes_first() -> None:
    assert removed_text(clean_paste(PASTE).removed, Voice()) == "a pair of quotes and 1 line break"
