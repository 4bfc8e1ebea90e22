"""Rules of the running gateway that are best seen from outside: where it listens, whose key goes where, fixed mode."""

import http.client
import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perilune.net.guard import Allowed, check_target

CONFIG = """schema = 1
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "{work}"

[[accounts]]
name = "ci"
plan = "moonshot"
region = "cn"
key = "env:TEST_CI_KEY"

[[gateway.routes]]
name = "default"
slots = [{{ account = "work", model = "kimi-for-coding" }}, {{ account = "ci", model = "kimi-k2.6" }}]
"""


def keys_of(sandbox: Any) -> dict[str, str]:
    accounts = sandbox.world.accounts
    return {"TEST_WORK_KEY": accounts["kimi-cn"].keys[0], "TEST_CI_KEY": accounts["moonshot-cn"].keys[0]}


def ask(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = {"model": "kimi", "max_tokens": 64, "messages": [{"role": "user", "content": "ping"}]}
    sent = {"content-type": "application/json"} | headers
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), sent)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


@pytest.mark.case("gateway SE-01")
def test_the_service_listens_on_this_machine_alone(program: Any, sandbox: Any, start: Callable[..., Any]) -> None:
    program.configure(CONFIG.format(work="env:TEST_WORK_KEY"))
    service = start(program, **keys_of(sandbox))
    port = int(service.url.rpartition(":")[2])
    tables = [Path(name) for name in ("/proc/net/tcp", "/proc/net/tcp6") if Path(name).exists()]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    listening = [(row[1].split(":")[0], int(row[1].split(":")[1], 16)) for row in rows if row[3] == "0A"]
    if not listening:
        pytest.skip("the system does not list sockets")
    assert {address for address, at in listening if at == port} == {"0100007F"}


@pytest.mark.case("gateway SE-04")
@pytest.mark.parametrize(
    "text",
    ["plk_' OR '1'='1", 'plk_"; DROP TABLE gateway_keys; --', "plk_\\x00", "plk_%00", "plk_Ã©Ã©Ã©"],
)
def test_hostile_key_texts_are_refused_and_the_store_stays(
    program: Any, sandbox: Any, start: Callable[..., Any], text: str
) -> None:
    program.configure(CONFIG.format(work="env:TEST_WORK_KEY"))
    made = program.run("gateway", "keys", "create", "bot")
    assert made.returncode == 0, made.stderr
    service = start(program, **keys_of(sandbox))
    status, _, body = ask(service.url, authorization=f"Bearer {text}")
    assert (status, json.loads(body)["error"]["code"]) == (401, "PL-GW-KEY")
    host, _, port = service.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.request("POST", "/v1/chat/completions", b"{}", {"x-api-key": "plk_" + "a" * 20_000})
    assert connection.getresponse().status in (401, 431)
    connection.close()
    assert sandbox.world.requests(method="POST") == []
    assert "bot" in program.run("gateway", "keys", "list").stdout


@pytest.mark.case("gateway SE-09")
@pytest.mark.parametrize("address", ["http://10.0.0.1", "https://example.com", "http://169.254.169.254:80"])
def test_the_vendors_are_played_on_this_machine_or_not_at_all(program: Any, address: str) -> None:
    program.configure(CONFIG.format(work="env:TEST_WORK_KEY"))
    for command in (("up", "--listen", "127.0.0.1:0"), ("status", "--refresh"), ("gateway", "try", "kimi")):
        done = program.run(
            *command, PERILUNE_UPSTREAM=address, TEST_WORK_KEY="sk-kimi-EXAMPLE", TEST_CI_KEY="sk-EXAMPLE"
        )
        assert done.returncode == 2, (command, done.stdout, done.stderr)


@pytest.mark.case("gateway CD-07")
def test_a_rotated_key_is_used_at_once(program: Any, sandbox: Any, start: Callable[..., Any]) -> None:
    keys = keys_of(sandbox)
    good = keys.pop("TEST_WORK_KEY")
    program.configure(CONFIG.format(work="vault:work"))
    wrong = "sk-kimi-EXAMPLE0never0known000000000000000001"
    first = program.run("accounts", "rotate", "work", "--stdin", "--no-probe", stdin=wrong)
    assert first.returncode == 0, first.stderr
    sandbox.world.queue_fault(method="GET", status=503, count=1000)  # the free reads find out nothing
    service = start(program, **keys)
    assert ask(service.url)[1]["x-perilune-account"] == "ci"
    assert ask(service.url)[1]["x-perilune-account"] == "ci"
    rotated = program.run("accounts", "rotate", "work", "--stdin", "--no-probe", stdin=good)
    assert rotated.returncode == 0, rotated.stderr
    given_up = time.monotonic() + 15
    while ask(service.url)[1]["x-perilune-account"] != "work":
        assert time.monotonic() < given_up
        time.sleep(0.2)  # not to run into the played rate limit


@pytest.mark.case("gateway FX-02")
def test_fixed_mode_on_the_coding_address_answers_chat_over_messages(
    program: Any, sandbox: Any, start: Callable[..., Any]
) -> None:
    fixed = {
        "API_LLM_PROVIDER_MODEL": "kimi-for-coding",
        "API_OPENAI_FORCE_BASE_URL": "https://api.kimi.com/coding/v1",
        "API_OPEN_AI_API_KEY": f' "{keys_of(sandbox)["TEST_WORK_KEY"]}" ',
    }
    service = start(program, **fixed)
    status, headers, body = ask(service.url)
    assert (status, headers["x-perilune-account"]) == (200, "fixed")
    assert json.loads(body)["object"] == "chat.completion"
    assert [request.path for request in sandbox.world.requests(method="POST")] == ["/coding/v1/messages"]
    with urllib.request.urlopen(f"{service.url}/api/v1/routes", timeout=20) as answer:
        (slot,) = json.load(answer)["routes"][0]["slots"]
    assert (slot["account"], slot["cap"]) == ("fixed", 30)
    (account,) = json.loads(program.run("accounts", "list", "--json", **fixed).stdout)["accounts"]
    assert (account["name"], account["plan"], account["region"]) == ("fixed", "kimi-code", "cn")


@pytest.mark.case("gateway GU-07")
@pytest.mark.parametrize(
    "change", [("--base-url", "https://elsewhere.example/v1"), ("--region", "intl"), ("--plan", "kimi-code")]
)
def test_a_stored_key_does_not_follow_its_account_elsewhere(
    program: Any, sandbox: Any, change: tuple[str, ...]
) -> None:
    program.configure(CONFIG.format(work="env:TEST_WORK_KEY"))
    before = program.home.joinpath("config.toml").read_text()
    keys = keys_of(sandbox)
    refused = program.run("accounts", "set", "ci", *change, **keys)
    assert refused.returncode == 2, (refused.stdout, refused.stderr)
    assert "--stdin" in refused.stderr  # where the key is given anew
    assert sandbox.world.requests() == []
    assert program.home.joinpath("config.toml").read_text() == before
    tested = program.run("accounts", "test", "ci", *change, **keys)
    assert tested.returncode == 2
    assert sandbox.world.requests() == []


def test_a_service_whose_lease_server_is_gone_serves_on_and_says_so(
    program: Any, sandbox: Any, start: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("redis")
    program.configure(CONFIG.format(work="env:TEST_WORK_KEY"))
    away = {"PERILUNE_REDIS_URL": f"unix://{tmp_path}/nobody"}
    service = start(program, **keys_of(sandbox), **away)
    assert ask(service.url)[0] == 200
    with pytest.raises(urllib.error.HTTPError) as unready:
        urllib.request.urlopen(f"{service.url}/readyz", timeout=20)
    with unready.value as answer:
        told = json.load(answer)
    assert (answer.code, told["ready"], told["problem"]) == (503, False, "PL-NET-REFUSED")
    with urllib.request.urlopen(f"{service.url}/api/v1/routes", timeout=20) as routes:
        assert json.load(routes)["leases"] == {"kept_by": "redis", "trouble": "divide", "hosts": 1}


@pytest.mark.case("gateway GU-04")
def test_a_listed_private_range_may_be_tested_and_used(program: Any, start: Callable[..., Any]) -> None:
    asked: list[str] = []

    class Own(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self._send({"object": "list", "data": [{"id": "m", "object": "model"}]})

        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            message = {"role": "assistant", "content": "PONG"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._send({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

        def _send(self, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.1.2.3", 0), Own) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.1.2.3:{server.server_port}/v1"
        program.configure(OWN.format(base=base, allow='["127.0.0.0/8"]'))
        unplayed = {"PERILUNE_UPSTREAM": "", "OWN_KEY": "EXAMPLE-own-0001"}
        tested = program.run("accounts", "test", "own", "--inference", **unplayed)
        assert tested.returncode == 0, (tested.stdout, tested.stderr)
        service = start(program, **unplayed)
        assert ask(service.url)[0] == 200
        assert asked[-1] == "/v1/chat/completions"
        server.shutdown()
    # the range of the case, where this machine has no such address to listen on
    listed = Allowed.of(("10.0.0.0/8",))
    assert check_target("http", "10.1.2.3", 8000, ["10.1.2.3"], listed) is None
    assert check_target("http", "10.1.2.3", 8000, ["10.1.2.3"], Allowed.of(())) is not None


OWN = """schema = 1
[gateway]
allow_private = {allow}
stream_upstream = false

[[accounts]]
name = "own"
plan = "openai-compatible"
base_url = "{base}"
key = "env:OWN_KEY"

[[gateway.routes]]
name = "default"
slots = [{{ account = "own", model = "m" }}]
"""
