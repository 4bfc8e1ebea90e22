"""`perilune status` from outside: real processes, played vendors."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.support.loopback import LoopbackServer, answer, loopback_server
from tests.support.samples import KEYS, NOW, body_of, lately

from perilune.config.paths import find_paths
from perilune.core.schemas import schema_files
from perilune.quota.line import Line
from perilune.quota.snapshot import Snapshot
from perilune.store.line import save_line

# As two hours after it was taken, in the middle of its window: less is used then than time has passed.
LEGACY = msgspec.json.encode(lately(body_of("code-usages-legacy"), NOW + timedelta(hours=2)))
SOURCE = str(Path(__file__).parents[2] / "src")


@pytest.fixture
async def loopback(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackServer]:
    async with loopback_server() as server:
        server.reply = lambda asked: answer(200, LEGACY)
        monkeypatch.setenv("PERILUNE_UPSTREAM", server.url)
        monkeypatch.setenv("KIMI_CODE_API_KEY", KEYS["kimi-code"])
        yield server


async def perilune(*arguments: str, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", "perilune", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": SOURCE, **environment},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_json_is_one_document_on_stdout(loopback: LoopbackServer) -> None:
    status, out, err = await perilune("status", "--json")
    document = json.loads(out)
    assert (status, err) == (0, "")
    (account,) = document["accounts"]
    assert (account["name"], account["state"], account["plan_title"]) == ("kimi-code-env", "ok", "Allegretto")
    assert document["sandbox"] is True
    jsonschema.validate(document, json.loads(schema_files()["status"].read_bytes()))


@pytest.mark.case("accounts 11.2")
async def test_three_processes_that_refresh_at_once_make_one_request(loopback: LoopbackServer) -> None:
    done = await asyncio.gather(*(perilune("status", "--refresh", "--json") for _ in range(3)))
    assert [status for status, _, _ in done] == [0, 0, 0]
    used = [[w["used_ratio"] for w in json.loads(out)["accounts"][0]["windows"]] for _, out, _ in done]
    assert used == [[0.15, 0.26]] * 3
    assert len(loopback.requests) == 1


@pytest.mark.case("accounts 11.3")
async def test_a_refresh_does_not_break_the_vendors_wait_and_says_until_when(loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: answer(429, retry_after="600")
    assert (await perilune("status"))[0] == 69
    status, out, _ = await perilune("status", "--refresh", "--json")
    assert (status, len(loopback.requests)) == (69, 1)
    (error,) = json.loads(out)["errors"]
    assert "Next try " in (await perilune("status", "--refresh"))[2]
    assert error["code"] == "PL-429-READ"
    assert error["retry_at"] is not None


async def test_a_fresh_reading_is_shown_without_a_call_and_without_the_database_library(
    loopback: LoopbackServer,
) -> None:
    await perilune("status")
    status, out, err = await perilune("status", "-v")
    assert (status, err, len(loopback.requests)) == (0, "", 1)
    assert "api.kimi.com/coding/v1/usages · api-key sk-kimi-…0001" in out
    code = (
        "import sys; from perilune.compose.workbench import Workbench; from perilune.faces.cli.run import run;"
        "run(['status', '-q'], Workbench());"
        "sys.exit(any(name.split('.')[0] in ('sqlalchemy', 'httpx2', 'cryptography') for name in sys.modules))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env={**os.environ, "PYTHONPATH": SOURCE})
    assert await process.wait() == 0


async def test_a_refused_key_exits_4_and_leaves_it_nowhere(loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: answer(401, b'{"error":{"message":"bad key sk-kimi-EXAMPLE0001"}}')
    status, out, err = await perilune("status", "-v")
    assert status == 4
    assert "PL-401-KEY" in out
    assert "PL-401-KEY" in err
    assert KEYS["kimi-code"] not in out + err


async def test_without_an_account_it_says_so() -> None:
    status, out, err = await perilune("status")
    assert (status, out) == (4, "")
    assert "PL-ACCOUNT-NONE" in err


@pytest.mark.case("experience W7", "experience W10")
async def test_plain_output_where_the_terminal_is_plain(loopback: LoopbackServer) -> None:
    status, out, _ = await perilune("status", LC_ALL="C", LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert status == 0
    assert out.isascii()
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines()[:-1]) <= 80


async def test_a_name_that_is_not_there_is_a_usage_error(loopback: LoopbackServer) -> None:
    status, _, err = await perilune("status", "nobody")
    assert status == 2
    assert "PL-ACCOUNT-NAME" in err
    assert loopback.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_watching_ends_with_an_interrupt(loopback: LoopbackServer) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "perilune", "status", "--watch", "30",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )  # fmt: skip
    assert process.stdout is not None
    told = await process.stdout.readuntil(b"binding limit 7 days")
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert b"Allegretto" in told
    assert (process.returncode, err) == (130, b"\n")


@pytest.mark.case("experience E22")
async def test_a_page_in_place_of_an_answer_is_not_understood_and_not_shown(loopback: LoopbackServer) -> None:
    loopback.reply = lambda asked: answer(200, b"<html><body>Sign in</body></html>", content_type="text/html")
    status, out, err = await perilune("status", "-v")
    assert status == 1
    assert "PL-PARSE" in out
    assert "PL-PARSE" in err
    assert "<" not in out + err
    assert "Sign in" not in out + err


@pytest.mark.case("accounts 1.13")
async def test_a_base_address_on_this_machine_is_taken_in_clear(loopback: LoopbackServer) -> None:
    write_account(f"{loopback.url}/x")
    status, _, err = await perilune("status", "own", PERILUNE_UPSTREAM="")
    assert (status, err) == (0, "")
    assert [asked.path for asked in loopback.requests] == ["/x/coding/v1/usages"]


@pytest.mark.skipif(sys.platform == "win32", reason="a process is not looked for there")
async def test_while_a_service_reads_the_command_does_not(loopback: LoopbackServer) -> None:
    await perilune("status")
    paths = find_paths(os.environ)
    age_the_reading(paths.store_file, timedelta(minutes=2))
    line = msgspec.json.decode(paths.line_file.read_bytes(), type=Line)
    save_line(paths.line_file, msgspec.structs.replace(line, service=os.getpid()))
    status, out, _ = await perilune("status")
    assert (status, len(loopback.requests)) == (0, 1)
    assert "2m ago" in out
    await perilune("status", "--refresh")
    assert len(loopback.requests) == 2
    assert msgspec.json.decode(paths.line_file.read_bytes(), type=Line).service == os.getpid()


def age_the_reading(store: Path, age: timedelta) -> None:
    earlier = int(age.total_seconds() * 1000)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE reads SET tried_at = tried_at - ?", (earlier,))
        (text,) = connection.execute("SELECT document FROM latest").fetchone()
        snapshot = msgspec.json.decode(text, type=Snapshot)
        older = msgspec.structs.replace(snapshot, fetched_at=snapshot.fetched_at - age)
        connection.execute("UPDATE latest SET document = ?", (msgspec.json.encode(older).decode(),))


def write_account(base_url: str) -> None:
    home = Path(os.environ["PERILUNE_HOME"])
    home.mkdir(parents=True)
    file = home / "config.toml"
    file.write_text(
        'schema = 1\n[[accounts]]\nname = "own"\nplan = "kimi-code"\nregion = "cn"\n'
        f'key = "env:KIMI_CODE_API_KEY"\nbase_url = "{base_url}"\n'
    )
    file.chmod(0o600)
