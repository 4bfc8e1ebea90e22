"""The service's own happenings reach people: budgets, failovers, reviews; and the dashboard says what was told."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.receiver import receiver

from perilune.compose.stack import Stack
from perilune.compose.workbench import Workbench
from perilune.core.messages import Voice
from perilune.faces.api.hub import Hub
from perilune.quota.alerts.model import Alert
from perilune.store import events
from perilune.store.rows import encoded

CONFIG = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:NO_SUCH_KEY"
paused = true
[gateway]
allow_private = ["127.0.0.1"]
[[notify]]
name = "hook"
channel = "webhook"
url = "{url}"
"""
BUDGET = {"key": "ci-bot", "percent": 90, "budget": "USD 20", "per": "month", "once": "ci-bot 2026-11 90"}


def configure(text: str) -> None:
    home = Path(os.environ["PERILUNE_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    bench = Workbench(dict(os.environ))
    running = Stack(bench, Hub(), listen=lambda: "127.0.0.1:0")
    await running.start()
    yield running
    await running.stop(0)


async def test_a_budget_is_told_once_over_every_process(stack: Stack) -> None:
    with receiver() as hook:
        configure(CONFIG.format(url=hook.url))
        await stack.reload()
        for _ in range(3):
            stack.engine.happenings.note("budget_soft", stack.bench.now(), **BUDGET)
        stack.engine.happenings.note("review_failed", stack.bench.now(), title="PR 412", code="PL-NET-DNS")
        stack.engine.happenings.note("route_back", stack.bench.now(), "work", route="default")
        await asyncio.to_thread(hook.wait_for, "budget_soft", "review_failed")
        assert [document["text"] for document in hook.got] == [
            "Gateway key ci-bot: 90% of USD 20 this month.",
            "Review of PR 412 failed (PL-NET-DNS).",
        ]
        await stack.alerting._courier.deliver()
        assert len(hook.got) == 2


async def test_the_dashboard_says_what_people_are_told(stack: Stack) -> None:
    at = datetime(2026, 11, 20, 13, 26, tzinfo=UTC)
    facts = {"label": "5h", "ratio": "0.905", "resets_at": "2026-11-20T14:07:00Z"}
    alert = Alert(kind="window_90", at=at, account="work", window="5h", facts=facts)
    with stack.engine.store.begin() as connection:
        events.append(connection, events.Event(at=at, kind="window_90", account="work", document=encoded(alert)))
        failed = '{"channel": "hook", "words": "503"}'
        events.append(connection, events.Event(at=at, kind="notify_failed", document=failed))
    told = stack.engine.happenings.latest(5, Voice(now=stack.bench.now()))
    assert [event.text for event in told] == [
        "Channel hook does not take messages: 503.",
        "work 5 h: 90% used. Resets 14:07 (in 41m).",
    ]
