"""Rules of `[[notify]]` that its types cannot say: what each channel needs, filters, quiet hours."""

import re
from collections.abc import Callable, Iterator, Mapping

from perilune.config.layout import KeyPath
from perilune.config.references import has_reference_shape
from perilune.config.schema import ChannelKind, Config, NotifyConfig
from perilune.core.errors import Problem
from perilune.quota.alerts.kinds import filter_words, is_filter_word
from perilune.quota.alerts.quiet import parse_quiet

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NEEDS: Mapping[ChannelKind, tuple[str, ...]] = {
    "desktop": (),
    "ntfy": ("url",),
    "bark": ("key",),
    "feishu": ("key",),
    "dingtalk": ("key",),
    "wecom": ("key",),
    "telegram": ("key", "to"),
    "slack": ("key",),
    "email": ("server", "sender", "to"),
    "webhook": ("url",),
    "exec": ("command",),
}


def is_channel_name(name: str) -> bool:
    """Whether a channel may be called so."""
    return _NAME.fullmatch(name) is not None


def notify_problems(config: Config, place: Callable[[KeyPath], str]) -> Iterator[Problem]:
    """Everything that is wrong with the channels of a file. An account that is not there any more is no fault."""
    names = [channel.name for channel in config.notify]
    for index, channel in enumerate(config.notify):

        def at(key: str, index: int = index) -> str:
            return place(("notify", index, key))

        if not is_channel_name(channel.name):
            yield _value("name_shape", at("name"), "name", channel.name)
        if channel.name in names[:index]:
            yield _value("twice", at("name"), "name", channel.name)
        yield from _missing(channel, at)
        yield from _filters(channel, at)


def _missing(channel: NotifyConfig, at: Callable[[str], str]) -> Iterator[Problem]:
    for key in NEEDS[channel.channel]:
        if not getattr(channel, key):
            yield Problem(code="PL-CONFIG-VALUE", variant="missing", facts={"place": at("channel"), "key": key})
    for key, reference in (("key", channel.key), ("secret", channel.secret)):
        if reference is not None and not has_reference_shape(reference):
            yield Problem(code="PL-CONFIG-VALUE", variant="key", facts={"place": at(key), "key": key})


def _filters(channel: NotifyConfig, at: Callable[[str], str]) -> Iterator[Problem]:
    for word in channel.events:
        if not is_filter_word(word):
            choices = ", ".join((*filter_words(), "window_NN"))
            yield _value("choice", at("events"), "events", word, choices)
    if channel.quiet is not None and parse_quiet(channel.quiet) is None:
        yield _value("choice", at("quiet"), "quiet", channel.quiet, "22:00-08:00")


def _value(variant: str, place: str, key: str, value: str, choices: str = "") -> Problem:
    facts = {"place": place, "key": key, "value": f"'{value}'"}
    return Problem(code="PL-CONFIG-VALUE", variant=variant, facts=facts | ({"choices": choices} if choices else {}))
