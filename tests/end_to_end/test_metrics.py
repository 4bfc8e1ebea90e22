"""`/metrics` of a running service: sums that equal the ledger, labels from closed sets, a format promtool accepts."""

import json
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from perilune.sandbox.faults import Fault

CONFIG = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:TEST_WORK_KEY"

[[accounts]]
name = "ci"
plan = "moonshot"
region = "cn"
key = "env:TEST_CI_KEY"

[[gateway.routes]]
name = "default"
match = ["kimi*"]
slots = [{ account = "work", model = "kimi-for-coding" }, { account = "ci", model = "kimi-k2.6" }]

[[gateway.routes]]
name = "money"
match = ["k2"]
slots = [{ account = "ci", model = "kimi-k2.6" }]
"""
LABELS = {
    "account": {"work", "ci"},
    "plan": {"kimi-code", "moonshot"},
    "region": {"cn"},
    "route": {"default", "money", ""},
    "surface": {"chat", "messages", "responses"},
    "window": {"5h", "7d", "month"},
    "unit": {"requests", "percent", "ratio", "credits"},
    "currency": {"CNY"},
    "state": {"ok", "high", "spent", "stale", "error", "unknown", "untested", "standby", "cooling", "quota_spent"},
    "kind": {"input", "cached", "output", "thinking", "available", "voucher", "cash", "deficit"},
}


def _ask(url: str, path: str, body: dict[str, Any]) -> int:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            error.read()
            return error.code


def _chat(url: str, model: str, *, stream: bool = False) -> int:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "ping"}], "max_tokens": 64}
    return _ask(url, "/v1/chat/completions", body)


def _sums(text: str) -> dict[str, Counter[tuple[str, ...]]]:
    """The values by family and label values in the order of the labels' names."""
    sums: dict[str, Counter[tuple[str, ...]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values = sums.setdefault(sample.name, Counter())
            values[tuple(sample.labels.values())] += sample.value
    return sums


@pytest.fixture
def mixed(program: Any, start: Callable[..., Any], sandbox: Any) -> tuple[Any, str]:
    """A service after streamed and whole answers, a failover, refusals and a request that no route takes."""
    program.configure(CONFIG)
    accounts = sandbox.world.accounts
    keys = {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-cn"].keys[0]}
    program.environment |= keys
    service = start(program)
    assert [_chat(service.url, "kimi-x", stream=stream) for stream in (False, True)] == [200, 200]
    assert _chat(service.url, "k2", stream=True) == 200
    message = {"model": "kimi-x", "messages": [{"role": "user", "content": "ping"}], "max_tokens": 64}
    assert _ask(service.url, "/v1/messages", message) == 200
    sandbox.world.faults.add(Fault(method="POST", host="api.kimi.com", status=503, count=3))
    assert _chat(service.url, "kimi-x") == 200
    sandbox.world.faults.clear()
    sandbox.world.faults.add(Fault(method="POST", host="api.moonshot.cn", refusal="dev-err-400-invalid-request"))
    assert _chat(service.url, "k2") == 400
    assert _chat(service.url, "gpt-5") == 404
    assert _ask(service.url, "/v1/nowhere", {}) == 404
    return service, program.run("metrics", PERILUNE_GATEWAY_LISTEN=service.url.removeprefix("http://")).stdout


@pytest.mark.case("gateway OB-01")
def test_the_sums_equal_the_ledger(mixed: tuple[Any, str], program: Any) -> None:
    service, text = mixed
    assert service.stop() == 0
    sums = _sums(text)
    with closing(sqlite3.connect(program.home / "perilune.db")) as store:

        def table(query: str) -> Counter[tuple[str, ...]]:
            return Counter({tuple(row[:-1]): row[-1] for row in store.execute(query)})

        assert sums["perilune_gateway_requests_total"] == table(
            "SELECT outcome, coalesce(route, ''), surface, count(*) FROM requests GROUP BY 1, 2, 3"
        )
        assert sums["perilune_gateway_attempts_total"] == table(
            "SELECT account, coalesce(code, ''), outcome, count(*) FROM attempts WHERE was_sent GROUP BY 1, 2, 3"
        )
        tokens = Counter[tuple[str, ...]]()
        for kind, column in (
            ("input", "input_tokens"),
            ("cached", "cache_read_tokens"),
            ("output", "output_tokens"),
            ("thinking", "reasoning_tokens"),
        ):
            query = f"SELECT account, '{kind}', sum({column}) FROM requests WHERE {column} IS NOT NULL GROUP BY 1"
            tokens += table(query)
        assert +sums["perilune_gateway_tokens_total"] == tokens
        costs = [Decimal(row[0]) for row in store.execute("SELECT cost FROM requests WHERE cost IS NOT NULL")]
        assert sums["perilune_gateway_cost_total"]["ci", "CNY"] == pytest.approx(float(sum(costs)))
        answered = table("SELECT account, surface, count(*) FROM requests WHERE account IS NOT NULL GROUP BY 1, 2")
        assert sums["perilune_gateway_request_seconds_count"] == answered
    assert sums["perilune_gateway_failovers_total"] == {("PL-5XX", "default"): 1}
    assert sums["perilune_gateway_rejected_total"] == {("PL-GW-ROUTE",): 1, ("PL-404-PATH",): 1}
    routed = sum(sums["perilune_gateway_requests_total"].values()) - 1
    assert sums["perilune_gateway_queue_wait_seconds_count"] == {("interactive",): routed}
    assert sums["perilune_gateway_overhead_seconds_count"][()] >= routed
    assert sums["perilune_gateway_reasoning_reinjected_total"] == {("found",): 0, ("missed",): 0}
    assert sums["perilune_gateway_concurrency_limit"][("work",)] == 30
    assert sums["perilune_gateway_in_flight"] == {("ci",): 0, ("work",): 0}


def test_labels_come_from_configuration_and_closed_sets(mixed: tuple[Any, str]) -> None:
    _, text = mixed
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for name, value in sample.labels.items():
                assert value in LABELS.get(name, {value}), (sample.name, name, value)
                assert name not in ("model", "key", "request", "path")
    for words in ("gpt-5", "kimi-x", "sk-"):
        assert words not in text
    assert " NaN" not in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_promtool_accepts_it(mixed: tuple[Any, str]) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=mixed[1], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_a_service_the_store_answers(program: Any, sandbox: Any) -> None:
    program.configure(
        CONFIG.replace("[[gateway.routes]]", '[gateway]\nlisten = "127.0.0.1:1"\n\n[[gateway.routes]]', 1)
    )
    accounts = sandbox.world.accounts
    keys = {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-cn"].keys[0]}
    assert program.run("status", **keys).returncode == 0
    ran = program.run("metrics", **keys)
    assert (ran.returncode, ran.stderr) == (0, "")
    sums = _sums(ran.stdout)
    assert sums["perilune_window_used_ratio"]["work", "kimi-code", "cn", "5h"] == pytest.approx(0.305)
    assert sums["perilune_balance_amount"]["ci", "CNY", "available"] == pytest.approx(49.58894)
    assert sums["perilune_account_state"]["work", "ok"] == 1
    assert sums["perilune_account_state"]["work", "spent"] == 0
    assert not any(name.startswith("perilune_gateway_") for name in sums)


def test_without_an_account_it_tells_of_the_program(alone: Any) -> None:
    ran = alone.run("metrics")
    assert ran.returncode == 0
    assert [line.split("{")[0] for line in ran.stdout.splitlines() if line[0] != "#"] == ["perilune_build_info"]
