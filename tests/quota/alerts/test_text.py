"""The sentences of the reference, word by word, in English and Chinese."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from perilune.core.messages import Voice
from perilune.quota.alerts.model import Alert
from perilune.quota.alerts.text import alert_text

NOW = datetime(2026, 11, 20, 13, 26, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
RESET, EMPTY, SINCE = "2026-11-20T14:07:00Z", "2026-11-20T13:15:38Z", "2026-11-20T11:58:00Z"
FIVE = {"label": "5-hour"}


def alert(kind: str, window: str | None = None, account: str = "work", **facts: str) -> Alert:
    return Alert(kind=kind, at=NOW, account=account, window=window, facts=facts)


SENTENCES = [
    (
        alert("window_90", "5h", ratio="0.90", resets_at=RESET, **FIVE),
        "work 5 h: 90% used. Resets 22:07 (in 41m).",
        "work 5 小时窗口：已用 90%，22:07 重置（41 分钟后）。",
    ),
    (
        alert("runs_out_early", "5h", ratio="0.695", resets_at=RESET, empty_at=EMPTY, **FIVE),
        "At this pace work's 5 h window is empty at 21:15, 52m before its reset.",
        "按当前速度，work 的 5 小时窗口 21:15 用尽，比重置早 52 分钟。",
    ),
    (
        alert("spent", "5h", until=RESET, other="ci", other_costs="money", **FIVE),
        "work 5 h is spent until 22:07. Requests go to ci (pay per token).",
        "work 5 小时窗口已用完，22:07 恢复。请求改走 ci（按量计费）。",
    ),
    (alert("back", "5h", **FIVE), "work 5 h is back.", "work 5 小时窗口已恢复。"),
    (
        alert("balance_low", account="lab", amount="18.90", currency="CNY", days="3.2"),
        "lab: CNY 18.90 available, about 3 days at this week's rate.",
        "lab：可用余额 CNY 18.90，按本周速度约可用 3 天。",
    ),
    (
        alert("balance_empty", account="lab", amount="0.00", currency="CNY"),
        "lab has no money left: available CNY 0.00.",
        "lab 余额不足：可用 CNY 0.00。",
    ),
    (
        alert("credential_refused", since=SINCE, status="401", code="PL-401-KEY"),
        "work: key refused (401) since 19:58. perilune accounts rotate work",
        "work：密钥自 19:58 起被拒（401）。perilune accounts rotate work",
    ),
    (
        alert("failover", account="ci", route="default", main="work", code="PL-QUOTA-5H"),
        "default: work → ci (PL-QUOTA-5H).",
        "default：work → ci（PL-QUOTA-5H）。",
    ),
    (
        alert("upstream_down", host="api.kimi.com", since="2026-11-20T12:01:00Z"),
        "api.kimi.com does not answer since 20:01.",
        "api.kimi.com 自 20:01 起无响应。",
    ),
    (
        alert("budget_soft", key="ci-bot", percent="90", budget="USD 20", per="month"),
        "Gateway key ci-bot: 90% of USD 20 this month.",
        "网关密钥 ci-bot：本月 USD 20 已用 90%。",
    ),
]


@pytest.mark.parametrize(("told", "english", "chinese"), SENTENCES, ids=[one[0].kind for one in SENTENCES])
def test_a_sentence_is_the_references(told: Alert, english: str, chinese: str) -> None:
    assert alert_text(told, Voice(now=NOW, zone=SHANGHAI)) == english
    assert alert_text(told, Voice(language="zh-CN", now=NOW, zone=SHANGHAI)) == chinese


def test_a_day_or_less_is_not_called_days() -> None:
    voice = Voice(now=NOW)
    few = {"amount": "1.00", "currency": "USD"}
    assert alert_text(alert("balance_low", days="1.9", **few), voice).endswith("about 1 day at this week's rate.")
    assert alert_text(alert("balance_low", days="0.4", **few), voice).endswith("less than a day at this week's rate.")
    assert alert_text(alert("balance_low", **few), voice) == "work: USD 1.00 available."


def test_a_window_that_only_the_server_names_keeps_its_label() -> None:
    told = alert("spent", "90m", label="90 minutes", until=RESET)
    assert alert_text(told, Voice(now=NOW, zone=SHANGHAI)) == "work 90 minutes is spent until 22:07."
