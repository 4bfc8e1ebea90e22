"""The vendor's own program reads the sandbox: it logs in there and shows the figures that were set."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from scripts._clients.cache import node, node_packages

from perilune.sandbox import running_sandbox

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(not os.environ.get("PERILUNE_CLIENTS"), reason="PERILUNE_CLIENTS names no cache of tools"),
]
PASSWORD = "local-EXAMPLE"


def environment(home: Path, sandbox: str) -> dict[str, str]:
    folder, runner = node_packages("kimi-code"), node()
    return {
        "PATH": f"{folder}/node_modules/.bin:{runner.parent}:/usr/bin:/bin",
        "HOME": str(home),
        "KIMI_CODE_HOME": str(home / "kimi"),
        "KIMI_CODE_OAUTH_HOST": sandbox,
        "KIMI_CODE_BASE_URL": f"{sandbox}/coding/v1",
        "KIMI_CODE_PASSWORD": PASSWORD,
        "KIMI_DISABLE_TELEMETRY": "1",
        "KIMI_CODE_NO_AUTO_UPDATE": "1",
        "TERM": "dumb",
    }


@contextmanager
def web(home: Path, environment: dict[str, str]) -> Iterator[str]:
    """The program's own server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["kimi", "web", "--no-open", "--port", str(port)]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def usage(address: str) -> dict[str, Any]:
    """What it shows, once it serves."""
    request = urllib.request.Request(f"{address}/api/v1/oauth/usage", headers={"authorization": f"Bearer {PASSWORD}"})
    for _ in range(120):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                shown: dict[str, Any] = json.load(answer)["data"]["quota"]["usages"]
                return shown
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.25)
    raise TimeoutError("kimi web did not answer")


@pytest.mark.case("gateway SB-01")
def test_the_vendors_own_parser_shows_the_figures_that_were_set(tmp_path: Path) -> None:
    with running_sandbox("pong") as sandbox:
        given = environment(tmp_path, sandbox.url)
        subprocess.run(
            ["kimi", "login"],
            env=given,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=True,
        )
        with web(tmp_path, given) as address:
            shown = usage(address)
            assert [round(shown[name]["usedRatio"], 4) for name in ("limit5h", "limit7d")] == [0.305, 0.2598]
            assert [shown[name]["usedRatio"] for name in ("monthTotal", "monthCode")] == [0.3125, 0.29]
            window = sandbox.world.accounts["kimi-cn"].windows["5h"]
            assert shown["limit5h"]["resetAt"] == window.resets_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            for used, ratio in ((0, 0), (150, 0.75), (200, 1)):
                sandbox.world.set("kimi-cn", windows={"5h": {"used": used}})
                assert fresh(address, given, tmp_path) == ratio


def fresh(address: str, given: dict[str, str], home: Path) -> float:
    """The 5-hour figure as a server that was started just now shows it; a running one keeps what it has read."""
    with web(home, given) as again:
        ratio: float = usage(again)["limit5h"]["usedRatio"]
        return ratio
