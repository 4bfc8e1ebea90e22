"""Shared ground of all tests: loopback only, no home of the user, no keys of the machine."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from perilune.sandbox import SandboxThread, running_sandbox

settings.register_profile("house", deadline=None)  # a busy machine is no failure
settings.load_profile("house")

_OURS = ("PERILUNE_", "MOONSHOT_", "KIMI_", "API_", "ANTHROPIC_", "OPENAI_", "CODEXBAR_")
_REAL_CONNECT = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> Any:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not (
        str(address[0]).startswith("127.") or address[0] in ("::1", "localhost")
    ):
        raise ConnectionRefusedError(f"tests reach loopback only, not {address[0]}")
    return _REAL_CONNECT(self, address)


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each test has its own home and none of the machine's keys or proxies, and reaches loopback only."""
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local/share"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    monkeypatch.setenv("PERILUNE_HOME", str(home / "perilune"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxThread]:
    """The played vendors in scenario `pong`; every official host is answered by them."""
    with running_sandbox() as played:
        monkeypatch.setenv("PERILUNE_UPSTREAM", played.url)
        yield played
