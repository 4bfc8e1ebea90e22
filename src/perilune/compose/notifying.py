"""Notifications for commands: channels tried by hand, how they have been doing, muting."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from perilune.core.ids import ulid
from perilune.core.messages import Voice
from perilune.monitor.notify.port import Receipt
from perilune.store import deliveries
from perilune.store.deliveries import ChannelState

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench


def channel_states(bench: "Workbench") -> Mapping[str, ChannelState]:
    """How the channels have been doing, by name."""
    with closing(bench.monitoring_now()) as monitoring:
        if not monitoring.has_store:
            return {}
        with monitoring.store.read() as connection:
            return deliveries.states(connection)


def muted_until(bench: "Workbench") -> datetime | None:
    """Until when notifications are held back."""
    with closing(bench.monitoring_now()) as monitoring:
        if not monitoring.has_store:
            return None
        with monitoring.store.read() as connection:
            return deliveries.muted_until(connection, bench.now())


def mute(bench: "Workbench", until: datetime | None) -> None:
    """Hold notifications back until a moment; None ends it."""
    with closing(bench.monitoring_now()) as monitoring, monitoring.store.begin() as connection:
        deliveries.mute(connection, until)


def forget_channel(bench: "Workbench", name: str) -> None:
    """Drop what the store holds for a channel."""
    with closing(bench.monitoring_now()) as monitoring:
        if monitoring.has_store:
            with monitoring.store.begin() as connection:
                deliveries.forget_channel(connection, name)


def test_channel(bench: "Workbench", name: str, voice: Voice) -> Receipt:
    """Send a marked message now, and remember how it went."""
    receipt = asyncio.run(_tried(bench, name, voice))
    with closing(bench.monitoring_now()) as monitoring, monitoring.store.begin() as connection:
        if receipt.is_taken:
            deliveries.sent(connection, name, (), bench.now())
        else:
            deliveries.failed(connection, name, (), bench.now(), receipt.words, None)
    return receipt


async def _tried(bench: "Workbench", name: str, voice: Voice) -> Receipt:
    from perilune.compose.watching import outlets_of
    from perilune.monitor.notify.messages import trial_message

    async with bench.control_client() as client:
        outlets = outlets_of(bench, bench.configuration().config, client)
        outlet = next(outlet for outlet in outlets if outlet.name == name)
        identity = ulid(int(bench.now().timestamp() * 1000))
        return await outlet.channel.send(trial_message(identity, name, voice, outlet.click))
