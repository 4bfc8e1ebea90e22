"""No key given to anything appears in logs, errors, pages, database dumps or process lists."""

import json
import sqlite3
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def texts_of_the_home(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file outside the vault, and the database as a dump."""
    for file in home.rglob("*"):
        if file.is_file() and "vault" not in file.relative_to(home).parts[0]:
            yield str(file), file.read_bytes()
    for database in home.rglob("*.db"):
        with sqlite3.connect(database) as connection:
            yield f"dump of {database}", "\n".join(connection.iterdump()).encode()


def process_lists(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/comm").read_bytes()


def ask(url: str, body: dict[str, Any] | None = None, **headers: str) -> bytes:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"content-type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bytes(str(answer.headers), "utf-8") + answer.read()
    except urllib.error.HTTPError as error:
        return bytes(str(error.headers), "utf-8") + error.read()


def test_no_key_appears_anywhere(program: Any, sandbox: Any, start: Callable[..., Any]) -> None:
    accounts = sandbox.world.accounts
    names = ("kimi-cn", "kimi-intl", "moonshot-cn", "moonshot-intl")
    secrets = [accounts[name].keys[0] for name in names]
    wrong = "sk-wrong00000000000000000000000000000000wrong"
    client_key = "sk-client000000000000000000000000000client"
    seen: list[tuple[str, bytes]] = []
    for secret in [*secrets, wrong]:
        done = program.run("add", "--stdin", "-v" if False else "--json", stdin=secret + "\n")
        seen.append(("add", (done.stdout + done.stderr).encode()))
    service = start(program)
    chat = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": "ping"}]}
    sandbox.world.queue_fault(refusal="dev-err-401-incorrect-key", method="POST", count=1)
    sandbox.world.queue_fault(
        method="POST", count=1, status=500, body={"error": {"message": f"echo {secrets[0]} Bearer {secrets[2]}"}}
    )
    for _ in range(4):
        seen.append(("answer", ask(f"{service.url}/v1/chat/completions", chat, authorization=f"Bearer {client_key}")))
    for path in (
        "/",
        "/add",
        "/api/v1/status",
        "/api/v1/routes",
        "/api/v1/ledger",
        "/metrics",
        "/healthz",
        "/readyz",
        "/nothing",
    ):
        seen.append((path, ask(service.url + path)))
    seen.append(("process list", process_lists(service.process.pid)))
    for command in (
        ["status"],
        ["status", "--json"],
        ["accounts", "list"],
        ["accounts", "show", "kimi-code"],
        ["config", "get"],
    ):
        done = program.run(*command)
        seen.append((" ".join(command), (done.stdout + done.stderr).encode()))
    bundle = program.home.parent / "bundle.zip"
    program.run("doctor", "--bundle", str(bundle))
    with zipfile.ZipFile(bundle) as packed:
        seen += [(f"bundle {name}", packed.read(name)) for name in packed.namelist()]
    assert service.stop() == 0
    seen.append(("stderr of up", service.stderr.encode()))
    seen += texts_of_the_home(program.home)
    for secret in [*secrets, wrong, client_key]:
        for place, text in seen:
            assert secret.encode() not in text, f"a key appears in {place}"
    upstream = json.dumps([dict(one.headers) for one in sandbox.world.requests()], default=str)
    assert client_key not in upstream
    answered = [one for one in sandbox.world.requests(method="POST") if one.account in names]
    assert answered
    for one in answered:
        host = {"kimi-cn": "api.kimi.com", "kimi-intl": "api.kimi.ai"}.get(one.account)
        host = host or {"moonshot-cn": "api.moonshot.cn", "moonshot-intl": "api.moonshot.ai"}[one.account]
        assert one.host == host, f"the key of {one.account} went to {one.host}"
    assert program.home.stat().st_mode & 0o077 == 0
