"""What a vendor's no becomes for a person: code, headline and exit status, in both languages."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.browsers.stores import chromium_cookies
from tests.faces.cli.conftest import Cli, Ran

from perilune.compose.asking import with_engine
from perilune.compose.engine import Engine
from perilune.compose.workbench import Workbench
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.core.width import width
from perilune.dialects.form import Dialect
from perilune.faces.cli.problem import plain_problem_lines
from perilune.gateway.call import Call, Reply
from perilune.sandbox import SandboxThread
from perilune.sandbox.faults import Fault

KEYS = {
    "work": "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001",
    "ci": "sk-EXAMPLE0sandbox0moonshot0intl0000000000001",
    "lab": "sk-EXAMPLE0sandbox0moonshot0cn000000000000001",
}
MODELS = {"work": "kimi-for-coding", "ci": "kimi-k2.6", "lab": "kimi-k2.6"}
CYCLE = "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle."
SUSPENDED = "dev-err-429-balance-suspended"
Ask = Callable[..., Ran]


def _route(name: str, slots: list[tuple[str, str]]) -> str:
    rows = ", ".join(f'{{ account = "{account}", model = "{model}" }}' for account, model in slots)
    return f'\n[[gateway.routes]]\nname = "{name}"\nmatch = ["{name}"]\nslots = [{rows}]\n'


@pytest.fixture
def ask(cli: Cli, sandbox: SandboxThread) -> Ask:
    """`ask("ci", fault)`: one small request over the route of that name, refused in that way."""
    for name, key in KEYS.items():
        assert cli("add", "--stdin", "--name", name, given=key).status == 0
    file = Path(cli("config", "path").out.strip())
    routes = {name: [(name, model)] for name, model in MODELS.items()}
    routes |= {"both": [("work", MODELS["work"]), ("ci", MODELS["ci"])]}
    routes |= {"fast": [("work", "kimi-for-coding-highspeed")], "wrong": [("ci", "kimi-k2.6-coding")]}
    file.write_text(file.read_text() + "".join(_route(name, slots) for name, slots in routes.items()))
    sandbox.world.journal.clear()

    def asks(route: str, fault: Fault | None = None, *flags: str) -> Ran:
        if fault is not None:
            fault.method, fault.count = "POST", None
            sandbox.world.faults.add(fault)
        ran = cli("gateway", "try", route, *flags)
        assert all(width(line) <= 80 for line in ran.err.splitlines()), ran.err
        assert len(ran.err.splitlines()) <= 8
        return ran

    return asks


def _said(ran: Ran) -> str:
    """The error as one line."""
    return " ".join(ran.err.split())


def _labels(ran: Ran) -> list[str]:
    """What stands in front of the lines: why, each remedy, note; the same for both languages."""
    names = {"why": "why", "原因": "why", "fix": "fix", "解决": "fix", "note": "note", "说明": "note"}
    starts = [line.split()[0] for line in ran.err.splitlines()[1:] if line.strip()]
    numbered = [line for line in ran.err.splitlines() if line.strip()[:2] in ("2.", "3.")]
    return [names[start] for start in starts if start in names] + ["more"] * len(numbered)


def _bare(text: str) -> str:
    """The text without spaces and line breaks."""
    return "".join(text.split())


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


def _none(sandbox: SandboxThread) -> None:
    """Nothing is arranged beforehand."""


def _full_week(sandbox: SandboxThread) -> None:
    sandbox.world.set("kimi-cn", windows={"7d": {"used": 2_048}})


def _full_hours(sandbox: SandboxThread) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}})


def _silent_readings(sandbox: SandboxThread) -> None:
    sandbox.world.faults.add(Fault(method="GET", path="*usages", count=None, status=503))


def _no_money(sandbox: SandboxThread) -> None:
    sandbox.world.set("moonshot-intl", voucher="0", cash="-1.20")


def _no_money_cn(sandbox: SandboxThread) -> None:
    sandbox.world.set("moonshot-cn", voucher="0", cash="-0.50")


class Case(msgspec.Struct, kw_only=True):
    """One row: what is arranged and refused, what is said in English and in zh-CN."""

    id: str
    route: str
    fault: dict[str, Any]
    code: str
    exit: int
    says: tuple[str, ...]
    headline: str
    never: tuple[str, ...] = ()
    arrange: Callable[[SandboxThread], None] = _none


CASES = (
    Case(
        id="E4",
        route="work",
        fault={"status": 403, "body": {"type": "error", "error": {"type": "permission_error", "message": CYCLE}}},
        code="PL-QUOTA-7D",
        exit=5,
        says=("work's 7 days window is spent; it is back at ", "billing cycle", "fix 1. wait: perilune guard --wait"),
        headline="work 的 7 天额度已用完，",
        arrange=_full_week,
    ),
    Case(
        id="E6",
        route="work",
        fault={"refusal": "code-err-403-client-not-allowed"},
        code="PL-403-AGENT",
        exit=4,
        says=("Kimi Code refuses this client on its chat route; usage reading still works.", "No client is imitated."),
        headline="Kimi Code 的该接口仅限编程智能体，额度读取不受影响",
        never=("QUOTA",),
    ),
    Case(
        id="E7",
        route="work",
        fault={"refusal": "code-err-403-terminated"},
        code="PL-403-BANNED",
        exit=4,
        says=("Kimi has terminated access for work.", "No retry is made; other accounts are untouched."),
        headline="Kimi 已终止 work 的访问",
    ),
    Case(
        id="E8",
        route="work",
        fault={"refusal": "code-err-402-membership"},
        code="PL-402-MEMBER",
        exit=5,
        says=("Kimi could not verify the membership of work.", "check the plan"),
        headline="Kimi 无法校验 work 的会员权益",
    ),
    Case(
        id="E9",
        route="ci",
        fault={"refusal": SUSPENDED},
        code="PL-BALANCE-EMPTY",
        exit=5,
        says=(
            "ci has no money left: available $0.00, cash -$1.20 (owed).",
            "[redacted]<[redacted]>",
            "platform.kimi.ai",
        ),
        headline="ci 余额不足：可用 $0.00，现金 -$1.20（欠费）",
        never=("platform.kimi.com", "org-", "ak-"),
        arrange=_no_money,
    ),
    Case(
        id="E10",
        route="lab",
        fault={"refusal": SUSPENDED},
        code="PL-BALANCE-EMPTY",
        exit=5,
        says=("lab has no money left: available ¥0.00, cash -¥0.50 (owed).", "platform.kimi.com"),
        headline="lab 余额不足：可用 ¥0.00，现金 -¥0.50（欠费）",
        never=("platform.kimi.ai",),
        arrange=_no_money_cn,
    ),
    Case(
        id="E11",
        route="ci",
        fault={"status": 403, "body": _error("permission_denied_error", "insufficient balance")},
        code="PL-BALANCE-EMPTY",
        exit=5,
        says=("ci has no money left: available $0.00", "insufficient balance"),
        headline="ci 余额不足：可用 $0.00",
        arrange=_no_money,
    ),
    Case(
        id="E12",
        route="ci",
        fault={"refusal": "dev-err-429-concurrency", "facts": {"limit": 1}},
        code="PL-429-PARALLEL",
        exit=69,
        says=("for ci", "max concurrency: 1, please try again after 1 seconds"),
        headline="ci 的并发过高",
    ),
    Case(
        id="E14",
        route="ci",
        fault={"refusal": "dev-err-429-tpd", "facts": {"current": 1_505_241, "limit": 1_500_000}},
        code="PL-429-RATE",
        exit=69,
        says=("ci reached its daily token limit (TPD).",),
        headline="ci 已达每日 token 上限（TPD）",
        never=(" at 0", "next try", "tomorrow", ":00"),
    ),
    Case(
        id="E15",
        route="ci",
        fault={"refusal": "dev-err-429-engine-overloaded", "headers": {"retry-after": "1"}},
        code="PL-429-BUSY",
        exit=69,
        says=("servers are busy; this is not your quota.",),
        headline="服务繁忙，与你的额度无关",
    ),
    Case(
        id="E18",
        route="fast",
        fault={"refusal": "code-err-401-no-model-access", "facts": {"model": "kimi-for-coding-highspeed"}},
        code="PL-401-MODEL",
        exit=1,
        says=("The plan of work does not include kimi-for-coding-highspeed.", "The key itself is fine."),
        headline="work 的套餐不含模型 kimi-for-coding-highspeed",
    ),
    Case(
        id="E19",
        route="wrong",
        fault={"refusal": "dev-err-404-model", "facts": {"model": "kimi-k2.6-coding"}},
        code="PL-404-MODEL",
        exit=1,
        says=("api.moonshot.ai has no model 'kimi-k2.6-coding' for ci. Closest: kimi-k2.6.",),
        headline="ci 没有模型 kimi-k2.6-coding，最接近：kimi-k2.6",
    ),
    Case(
        id="E26",
        route="ci",
        fault={"status": 400, "body": _error("invalid_request_error", "a\x1b[31m" + "y" * 5_000)},
        code="PL-400-REQUEST",
        exit=1,
        says=("api.moonshot.ai does not accept this request.", r"a\x1b[31myyy"),
        headline="api.moonshot.ai 不接受该请求",
        never=("\x1b", "y" * 161),
    ),
)

READ = (
    Case(
        id="E1",
        route="work",
        fault={"status": 403, "body": _error("access_terminated_error", CYCLE)},
        code="PL-QUOTA-5H",
        exit=5,
        says=("work's 5 h window is spent; it is back at ", "billing cycle"),
        headline="work 的 5 小时额度已用完，",
        arrange=_full_hours,
    ),
    Case(
        id="E2",
        route="work",
        fault={"status": 403, "body": _error("access_terminated_error", CYCLE)},
        code="PL-QUOTA-UNKNOWN",
        exit=5,
        says=("(5 h 30%, 7 days 25%, month 31%)",),
        headline="Kimi 称额度用尽，但已上报的窗口均未满",
    ),
    Case(
        id="E3",
        route="work",
        fault={"status": 403, "body": _error("access_terminated_error", CYCLE)},
        code="PL-QUOTA-UNKNOWN",
        exit=5,
        says=("the windows could not be read",),
        headline="Kimi 称额度用尽",
        arrange=_silent_readings,
    ),
    Case(
        id="E5",
        route="work",
        fault={"refusal": "code-err-403-weekly"},
        code="PL-QUOTA-7D",
        exit=5,
        says=("work's 7 days window is spent; it is back at ",),
        headline="work 的 7 天额度已用完，",
    ),
)


def _check_chinese(case: Case, english: Ran, ask: Ask) -> None:
    """The same code and exit, the zh-CN headline, and the same parts."""
    chinese = ask(case.route, None, "--lang", "zh-CN")
    assert chinese.status == english.status == case.exit
    assert chinese.err.startswith(f"error[{case.code}]: ")
    assert _bare(case.headline) in _bare(chinese.err)
    assert _labels(chinese) == _labels(english)


@pytest.mark.case("experience E28")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in READ])
def test_a_refusal_with_two_meanings_is_settled_by_a_free_reading(case: Case, ask: Ask, sandbox: SandboxThread) -> None:
    case.arrange(sandbox)
    ran = ask(case.route, Fault(**case.fault))
    assert (ran.status, ran.err.partition(":")[0]) == (case.exit, f"error[{case.code}]")
    assert all(part in _said(ran) for part in case.says), ran.err
    _check_chinese(case, ask(case.route), ask)


@pytest.mark.case(
    "experience E4", "experience E6", "experience E7", "experience E8", "experience E9", "experience E10",
    "experience E11", "experience E12", "experience E14", "experience E15", "experience E18", "experience E19",
    "experience E26", "experience E28",
)  # fmt: skip
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_refusal_has_its_code_headline_and_exit(case: Case, ask: Ask, sandbox: SandboxThread) -> None:
    case.arrange(sandbox)
    ran = ask(case.route, Fault(**case.fault))
    said = _said(ran)
    assert (ran.status, ran.out.strip()) == (case.exit, "")
    assert said.startswith(f"error[{case.code}]: ")
    for part in case.says:
        assert part in said
    for part in case.never:
        assert part not in ran.err
    further = len(sandbox.world.journal.select(method="POST"))
    again = ask(case.route)
    assert again.err.startswith(f"error[{case.code}]: ")
    _check_chinese(case, again, ask)
    if case.id == "E10":
        assert "available CNY 0.00, cash CNY -0.50" in _said(ask(case.route, None, "--ascii"))
    if case.id == "E7":
        assert len(sandbox.world.journal.select(method="POST")) == further  # terminated: no call is made any more
    if case.id == "E18":
        sandbox.world.faults.clear()
        assert ask("work").status == 0  # the account stays usable
    if case.id == "E12":
        lessons = Workbench(dict(os.environ)).monitoring.learned()
        [learned] = [lesson for lesson in lessons if lesson.name == "concurrency"]
        assert learned.value == "1"


KNOWN: dict[str, object] = {"other": "Kimi Code cn (api.kimi.com)", "host": "api.moonshot.ai", "account": "ci"}
SAID = (
    ("PL-401-HOST", "", KNOWN, "该密钥属于 Kimi Code cn (api.kimi.com)，不能用于 api.moonshot.ai"),
    ("PL-404-PATH", "TWICE", {"path": "/v1/v1", "nearest": "/v1"}, "/v1/v1"),
    ("PL-PARSE", "", {"vendor": "Kimi", "fields": "a"}, "Kimi 的返回格式已变化，无法识别"),
    ("PL-PARSE-PART", "", {"vendor": "Kimi", "understood": 1, "total": 2, "fields": "a"}, "仅识别 1/2 个窗口"),
    ("PL-NET-TLS", "", {"host": "api.kimi.com", "issuer": "Corp Proxy CA"}, "的证书不受信任（签发者 Corp Proxy CA）"),
)


@pytest.mark.case("experience E28")
@pytest.mark.parametrize(("code", "variant", "facts", "headline"), SAID, ids=[row[0] for row in SAID])
def test_what_reading_refuses_is_the_same_in_chinese(
    code: str, variant: str, facts: dict[str, object], headline: str
) -> None:
    problem = Problem(code=code, variant=variant, facts=facts, account="ci")
    english, chinese = (
        Ran(problem.exit_code, "", "\n".join(plain_problem_lines(problem, Voice(language=language))))
        for language in ("en", "zh-CN")
    )
    assert english.err.startswith(f"error[{code}]: ")
    assert _bare(headline) in _bare(chinese.err)
    assert _labels(chinese) == _labels(english)


@pytest.mark.case("experience E25", "experience E28")
def test_a_cookie_that_chrome_binds_to_itself_is_told(cli: Cli, sandbox: SandboxThread) -> None:
    profile = Path(os.environ["HOME"]) / ".config" / "google-chrome" / "Default"
    chromium_cookies(profile, [(".kimi.com", "kimi-auth", "", b"v20" + bytes(48), 0, 1)])
    english = cli("add", "--from", "browser")
    assert english.status == 4
    headline = "Chrome on Windows binds this cookie to itself; Perilune cannot read it."
    assert _said(english).startswith(f"error[PL-COOKIE-APPBOUND]: {headline}")
    chinese = cli("add", "--from", "browser", "--lang", "zh-CN")
    assert chinese.err.startswith("error[PL-COOKIE-APPBOUND]: Chrome 已将该 Cookie 与自身绑定，无法读取")
    assert (chinese.status, _labels(chinese)) == (english.status, _labels(english))
    assert sandbox.world.journal.select() == []


@pytest.mark.case("experience E13")
def test_too_many_requests_far_below_the_cap_teach_nothing(ask: Ask, sandbox: SandboxThread) -> None:
    words = _error("rate_limit_reached_error", "We're receiving too many requests at the moment. Please wait.")
    sandbox.world.faults.add(Fault(method="POST", count=None, status=429, body=words, delay_headers_s=0.2))
    bench = Workbench(dict(os.environ))
    body = msgspec.json.encode({"model": "work", "messages": [{"role": "user", "content": "ping"}]})

    async def three(engine: Engine) -> list[Reply]:
        calls = (engine.gateway.core.answer(Call(front=Dialect.CHAT, body=body)) for _ in range(3))
        replies = await asyncio.gather(*calls)
        assert engine.admission.state(engine.group_of("work")).cap == 30
        return list(replies)

    codes = [reply.problem.code if reply.problem else None for reply in with_engine(bench, three)]
    assert codes == ["PL-429-PARALLEL"] * 3
    assert [lesson for lesson in bench.monitoring_now().learned() if lesson.name != "verified"] == []
    ran = ask("work")
    assert (ran.status, ran.err.startswith("error[PL-429-PARALLEL]: ")) == (69, True)


@pytest.mark.case("experience E24")
def test_a_route_whose_slots_are_all_spent_names_the_first_back(ask: Ask, sandbox: SandboxThread) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}})
    _no_money(sandbox)
    assert ask("work").status == 5
    assert ask("ci").status == 5
    for language, headline in (
        ("en", "Every slot of both is spent. First back: work at "),
        ("zh-CN", "both 的所有槽位均已用尽，work 最早 "),
    ):
        ran = ask("both", None, "--lang", language)
        assert ran.status == 5
        assert _said(ran).startswith(f"error[PL-GW-SPENT]: {headline}")
        lines = [line.strip().removeprefix("why").removeprefix("原因").strip() for line in ran.err.splitlines()]
        at = lines.index("work/kimi-for-coding: PL-QUOTA-5H")
        assert lines[at + 1] == "ci/kimi-k2.6: PL-BALANCE-EMPTY"
