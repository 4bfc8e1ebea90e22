"""Channels of the configuration: built when they are first sent to. A secret is read, and a way imported, only then."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import assert_never

from msgspec import Struct

from perilune.config.schema import NotifyConfig
from perilune.core.errors import PeriluneError
from perilune.core.secret import Secret
from perilune.monitor.notify.port import Channel, Message, Receipt
from perilune.monitor.notify.posting import Poster
from perilune.net.control import ControlClient
from perilune.net.guard import Allowed
from perilune.quota.alerts.kinds import is_wanted
from perilune.quota.alerts.model import Alert
from perilune.quota.alerts.quiet import QuietHours, parse_quiet


class Surroundings(Struct, frozen=True, kw_only=True):
    """What channels are built with. `read` opens a reference to a secret of a channel, by the channel's name."""

    client: ControlClient
    read: Callable[[str, str], Secret]
    environment: Mapping[str, str]
    allowed: Allowed
    now: Callable[[], datetime]
    upstream: str | None = None


class Outlet(Struct, frozen=True, kw_only=True):
    """One configured channel: what it takes, when it is quiet, and how it is reached."""

    name: str
    kind: str
    events: tuple[str, ...]
    accounts: tuple[str, ...]
    quiet: QuietHours | None
    channel: Channel
    click: str | None = None

    def wants(self, alert: Alert) -> bool:
        """Whether an alert goes here."""
        is_its_account = not self.accounts or alert.account is None or alert.account in self.accounts
        return is_its_account and is_wanted(alert.kind, self.events)


def outlet_of(config: NotifyConfig, around: Surroundings) -> Outlet:
    """The outlet of one `[[notify]]`."""
    return Outlet(
        name=config.name,
        kind=config.channel,
        events=config.events,
        accounts=config.accounts,
        quiet=parse_quiet(config.quiet) if config.quiet else None,
        channel=_Configured(config, around),
        click=config.click,
    )


class _Configured:
    """A channel that is built with its first message; what cannot be read is an answer like any other."""

    def __init__(self, config: NotifyConfig, around: Surroundings) -> None:
        self._config = config
        self._around = around
        self._built: Channel | None = None

    async def send(self, message: Message) -> Receipt:
        if self._built is None:
            try:
                self._built = await asyncio.to_thread(_built, self._config, self._around)
            except PeriluneError as error:
                return Receipt(is_taken=False, words=error.problem.code)
        return await self._built.send(message)


def _built(config: NotifyConfig, around: Surroundings) -> Channel:
    """The channel behind one `[[notify]]`. Raises: PL-SECRET-READ."""
    key, secret = _secret(config.key, config, around), _secret(config.secret, config, around)
    known = [found for found in (key, secret) if found is not None]
    poster = Poster(around.client, around.allowed, known, upstream=around.upstream)
    url, must = config.url or "", key or Secret("")
    match config.channel:
        case "desktop":
            from perilune.monitor.notify.desktop import Desktop

            return Desktop(around.environment)
        case "ntfy":
            from perilune.monitor.notify.ntfy import Ntfy

            return Ntfy(poster, url, key)
        case "bark":
            from perilune.monitor.notify.bark import Bark

            return Bark(poster, config.url, must)
        case "feishu":
            from perilune.monitor.notify.feishu import Feishu

            return Feishu(poster, must, secret, around.now)
        case "dingtalk":
            from perilune.monitor.notify.dingtalk import DingTalk

            return DingTalk(poster, must, secret, around.now)
        case "wecom":
            from perilune.monitor.notify.wecom import WeCom

            return WeCom(poster, must)
        case "telegram":
            from perilune.monitor.notify.telegram import Telegram

            return Telegram(poster, config.url, must, config.to[0])
        case "slack":
            from perilune.monitor.notify.slack import Slack

            return Slack(poster, must)
        case "webhook":
            from perilune.monitor.notify.webhook import Webhook

            return Webhook(poster, url, secret or key, around.now)
        case "email":
            from perilune.monitor.notify.mail import Mail, MailServer

            server = MailServer.of(config.server or "", config.tls, config.user, key)
            return Mail(server, around.allowed, config.sender or "", config.to)
        case "exec":
            from perilune.monitor.notify.execute import Execute

            return Execute(config.command, around.environment)
        case other:
            assert_never(other)


def _secret(reference: str | None, config: NotifyConfig, around: Surroundings) -> Secret | None:
    return None if reference is None else around.read(reference, config.name)
