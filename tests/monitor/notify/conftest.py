"""Channels over a loopback receiver, with a clock that stands still."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.loopback import LoopbackServer, loopback_server

from perilune.config.schema import NotifyConfig
from perilune.core.secret import Secret
from perilune.monitor.notify.channels import Outlet, Surroundings, outlet_of
from perilune.monitor.notify.port import Message, Receipt
from perilune.net.control import ControlClient
from perilune.net.guard import Allowed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MESSAGE = Message(
    id="01JD4ZS8Q0EXAMPLEEXAMPLE00",
    at=NOW,
    kind="window_90",
    title="Perilune",
    text="work 5 h: 90% used. Resets 22:07 (in 41m).",
    urgency="high",
    account="work",
    window="5h",
    facts={"ratio": "0.90"},
)
Build = Callable[..., Outlet]
Send = Callable[..., Awaitable[Receipt]]


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with loopback_server() as running:
        yield running


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Builds an outlet; `secrets` are what its references point at."""
    async with ControlClient() as client:

        def built(
            channel: str, *, secrets: dict[str, str] | None = None, allowed: str = "127.0.0.1", **fields: Any
        ) -> Outlet:
            kept = {f"vault:{name}": Secret(text) for name, text in (secrets or {}).items()}
            around = Surroundings(
                client=client,
                read=lambda reference, owner: kept[reference],
                environment=fields.pop("environment", os.environ),
                allowed=Allowed.of([allowed] if allowed else []),
                now=lambda: NOW,
            )
            references = {name: f"vault:{name}" for name in secrets or {}}
            return outlet_of(NotifyConfig(name="team", channel=channel, **references, **fields), around)

        yield built


@pytest.fixture
def send(build: Build) -> Send:
    """Sends one message through a channel."""

    async def sent(channel: str, *, message: Message = MESSAGE, **fields: Any) -> Receipt:
        return await build(channel, **fields).channel.send(message)

    return sent
