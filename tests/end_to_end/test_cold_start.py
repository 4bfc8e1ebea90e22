"""What commands import: nothing that they do not use, because people and bars wait for them."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tests.end_to_end.conftest import Program, Service

from perilune.compose.accounts import CAP
from perilune.compose.engine import Engine
from perilune.compose.previewing import preview_quota
from perilune.compose.reviewing import engine_quota
from perilune.compose.workbench import Workbench
from perilune.sandbox.keys import KIMI_CN, MOONSHOT_INTL
from perilune.store import learned
from perilune.store.lessons import Learned

CONFIG = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:KEY_WORK"

[[accounts]]
name = "twin"
plan = "kimi-code"
region = "cn"
key = "env:KEY_WORK"
max_concurrent_requests = 12

[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
key = "env:KEY_CI"

[[gateway.routes]]
name = "review"
match = ["review"]
slots = [{ account = "work" }, { account = "ci", model = "kimi-k2.6" }]
"""
HEAVY = ("httpx2", "starlette", "uvicorn", "sqlalchemy", "alembic", "cryptography", "jinja2", "rich", "textual")
RUN = """
import sys
from perilune.__main__ import main
sys.argv[0] = "perilune"
status = main()
assert status == 0, status
found = {name.partition(".")[0] for name in sys.modules} & set(%r)
assert not found, found
"""
LIGHT = (
    ["--help"],
    ["--version"],
    ["explain", "PL-QUOTA-5H"],
    ["config", "get", "gateway.listen"],
    ["accounts", "list"],
    ["status"],
    ["review", "--preview", "--diff", "-"],
)
WITHOUT_CALLS = LIGHT[:-1]
PATCH = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"


@pytest.fixture
def stored(program: Program) -> Program:
    """A home whose accounts have been read."""
    program.environment |= {"KEY_WORK": KIMI_CN, "KEY_CI": MOONSHOT_INTL}
    program.configure(CONFIG)
    assert program.run("status", "--refresh", "-q").returncode == 0
    return program


def test_a_command_imports_neither_web_framework_nor_http_client_nor_database_toolkit(stored: Program) -> None:
    for arguments in LIGHT:
        unneeded = (*HEAVY, "asyncio") if arguments in WITHOUT_CALLS else HEAVY
        ran = subprocess.run(
            [sys.executable, "-c", RUN % (unneeded,), *arguments],
            input=PATCH,
            env=stored.environment,
            cwd=stored.home.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{arguments}: {ran.stderr}"


def test_the_service_starts_without_what_it_may_never_need(stored: Program, start: Callable[..., Service]) -> None:
    service = start(stored, PYTHONPROFILEIMPORTTIME="1")
    assert service.stop() == 0
    imported = {line.rpartition("|")[2].strip() for line in service.said if line.startswith("import time:")}
    assert {"sqlalchemy", "starlette.applications"} <= imported
    unneeded = {"alembic", "jinja2", "perilune.sandbox", "perilune.review.run", "sqlalchemy.dialects.postgresql"}
    assert not unneeded & imported


async def test_a_preview_sees_the_slots_as_a_paid_review_does(stored: Program) -> None:
    now = datetime.now(UTC)
    bench = Workbench(stored.environment)
    bench.now = lambda: now  # type: ignore[method-assign]
    async with running_engine(bench) as engine:
        with engine.store.begin() as connection:
            until = now + timedelta(hours=1)
            learned.keep(connection, Learned(scope=engine.group_of("work"), name=CAP, value="7", at=now, until=until))
    seen = preview_quota(bench, bench.monitoring_now()).slots()
    async with running_engine(bench) as engine:
        assert engine_quota(engine).slots() == seen
    assert [slot.account for slot in seen] == ["work", "ci"]
    assert seen[0].concurrency == 7


@asynccontextmanager
async def running_engine(bench: Workbench) -> AsyncIterator[Engine]:
    """An engine over the home as it is now."""
    engine = Engine(bench, bench.monitoring_now())
    try:
        yield engine
    finally:
        await engine.close()


def test_a_preview_leaves_no_store_behind(program: Program) -> None:
    program.environment |= {"KEY_WORK": KIMI_CN, "KEY_CI": MOONSHOT_INTL}
    program.configure(CONFIG)
    assert program.run("review", "--preview", "--diff", "-", stdin=PATCH).returncode == 0
    assert not Workbench(program.environment).paths.store_file.exists()
