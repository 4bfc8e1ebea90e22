"""`perilune notify list`: channels, what goes there, how the last message went."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from perilune.config.schema import NotifyConfig
from perilune.core.messages import Voice
from perilune.core.width import pad, width
from perilune.store.deliveries import ChannelState

_COLUMNS = ("name", "channel", "events", "quiet", "last")


def table(channels: Sequence[NotifyConfig], states: Mapping[str, ChannelState], voice: Voice) -> list[str]:
    """The channels as a table."""
    rows = [[voice.say(f"notify.col.{name}") for name in _COLUMNS]]
    rows += [_row(channel, states.get(channel.name), voice) for channel in channels]
    widths = [max(width(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return ["  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows]


def document(
    channels: Sequence[NotifyConfig], states: Mapping[str, ChannelState], muted_until: datetime | None
) -> dict[str, Any]:
    """`perilune.notify.v1`."""
    listed = [_channel_document(channel, states.get(channel.name)) for channel in channels]
    return {"schema": "perilune.notify.v1", "muted_until": muted_until, "channels": listed}


def last_words(state: ChannelState | None, voice: Voice) -> str:
    """`ok 3h ago`, `x 404, 5m ago`, `–`."""
    if state is None:
        return "–"
    if state.failures and state.failed_at is not None:
        age = voice.age_ago(voice.now - state.failed_at)
        return voice.say("notify.last.failed", words=_short(state.words or "–"), age=age)
    if state.worked_at is None:
        return "–"
    return voice.say("notify.last.ok", age=voice.age_ago(voice.now - state.worked_at))


def _row(channel: NotifyConfig, state: ChannelState | None, voice: Voice) -> list[str]:
    events = voice.say("notify.comma").join(channel.events)
    return [channel.name, channel.channel, events, channel.quiet or "–", last_words(state, voice)]


def _short(words: str) -> str:
    """The status or code that a failure begins with."""
    if words.startswith("exit "):
        return " ".join(words.split()[:2])
    return words.partition(",")[0] if words.startswith("code ") else words.partition(" ")[0].rstrip(":")


def _channel_document(channel: NotifyConfig, state: ChannelState | None) -> dict[str, Any]:
    state = state or ChannelState(channel=channel.name)
    tried = state.worked_at is not None or state.failed_at is not None
    return {
        "name": channel.name,
        "channel": channel.channel,
        "events": list(channel.events),
        "accounts": list(channel.accounts),
        "quiet": channel.quiet,
        "state": ("failing" if state.failures else "ok") if tried else "untried",
        "worked_at": state.worked_at,
        "failed_at": state.failed_at,
        "failures": state.failures,
        "words": state.words,
    }
