"""Channels that do not take messages, as problems."""

from collections.abc import Iterator, Mapping, Sequence

from perilune.config.schema import NotifyConfig
from perilune.core.errors import Problem
from perilune.core.messages import Voice
from perilune.store.deliveries import TRIES, ChannelState

_OFF = "headless"


def failing(channels: Sequence[NotifyConfig], states: Mapping[str, ChannelState], voice: Voice) -> Iterator[Problem]:
    """PL-NOTIFY for every channel that was given up: three tries in vain, or no screen to show anything on."""
    for channel in channels:
        state = states.get(channel.name)
        if state is not None and (state.failures >= TRIES or (state.failures and state.words == _OFF)):
            yield not_taken(channel, state.words or "–", voice)


def not_taken(channel: NotifyConfig, reason: str, voice: Voice) -> Problem:
    """PL-NOTIFY of one channel, in the channel's own words."""
    facts = {"channel": channel.name, "kind": voice.say(f"notify.kind.{channel.channel}"), "reason": reason}
    return Problem(code="PL-NOTIFY", facts=facts)
