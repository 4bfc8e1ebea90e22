"""History and forecast of the running program: the command and the API say the same."""

import csv
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import jsonschema

from perilune.core.schemas import schema_files
from perilune.sandbox import keys

QUESTION = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": "Say hello."}]}
CONFIG = """schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:WORK_KEY"

[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
key = "env:CI_KEY"

[[gateway.routes]]
name = "default"
match = ["*"]
slots = [{ account = "ci" }]
"""


def fetched(url: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers["content-type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["content-type"], error.read()


def until(found: Callable[[], Any]) -> Any:
    """What there is, once it has been written: the ledger writes in batches."""
    deadline = time.monotonic() + 20
    while (value := found()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def checked(document: Any, name: str) -> Any:
    jsonschema.validate(document, json.loads(schema_files()[name].read_bytes()))
    return document


def test_requests_and_readings_become_history(program: Any, start: Any) -> None:
    program.configure(CONFIG)
    program.environment |= {"WORK_KEY": keys.KIMI_CN, "CI_KEY": keys.MOONSHOT_INTL}
    service = start(program)
    asked = urllib.request.Request(
        f"{service.url}/v1/chat/completions", json.dumps(QUESTION).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        usage = json.load(answer)["usage"]
    assert program.run("status", "--refresh").returncode == 0

    def rows() -> Any:
        document = json.loads(fetched(f"{service.url}/api/v1/history?since=2d&by=day&tz=UTC")[2])
        return checked(document, "history")["rows"]

    today = until(lambda: next((row for row in rows()[-1:] if row["requests"]), None))
    assert (today["input_tokens"], today["output_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert {peak["window"] for peak in today["peaks"]} >= {"5h", "7d"}
    (cost,) = today["costs"]
    assert (cost["unit"], cost["cost"]["currency"]) == ("money", "USD")

    status, kind, text = fetched(f"{service.url}/api/v1/history?by=account&format=csv")
    table = list(csv.reader(io.StringIO(text.decode())))
    assert (status, kind.partition(";")[0], table[0][0]) == (200, "text/csv", "account")
    assert [row[0] for row in table[1:]] == ["ci", "work"]
    assert fetched(f"{service.url}/api/v1/history?since=never")[0] == 400
    told = json.loads(fetched(f"{service.url}/api/v1/history?by=moon")[2])
    assert checked(told, "error")["error"]["code"] == "PL-USAGE"

    forecast = checked(json.loads(fetched(f"{service.url}/api/v1/forecast")[2]), "forecast")
    assert [account["name"] for account in forecast["accounts"]] == ["work", "ci"]

    ours = program.run("history", "--since", "2d", "--json", "--tz", "UTC")
    assert checked(json.loads(ours.stdout), "history")["rows"] == rows()
    said = program.run("history", "--since", "2d", "--tz", "UTC")
    assert said.stdout.splitlines()[0].split()[:2] == ["DAY", "REQUESTS"]
    assert said.stderr == ""
