"""Messages from alerts: one alert as it is, several that were held back as one digest."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from perilune.core.messages import Voice
from perilune.monitor.notify.port import Message
from perilune.quota.alerts.kinds import urgency_of
from perilune.quota.alerts.model import Alert
from perilune.quota.alerts.text import LONGEST, alert_text, shortened

Name = Callable[[str], str]
_ACCOUNTS = ("other", "main")


def message_of(identity: str, alert: Alert, voice: Voice, name: Name, click: str | None = None) -> Message:
    """The message of one alert. `name` says how an account is called in it."""
    alert = _named(alert, name)
    return Message(
        id=identity,
        at=alert.at,
        kind=alert.kind,
        title=voice.say("notice.title"),
        text=alert_text(alert, voice),
        urgency=urgency_of(alert.kind),
        account=alert.account,
        window=alert.window,
        facts=alert.facts,
        click=click,
    )


def digest_of(found: Sequence[tuple[str, Alert]], voice: Voice, name: Name, click: str | None = None) -> Message:
    """What was held back, as one message under the id of its newest part; one alone is told as it is."""
    identity, newest = found[-1]
    if len(found) == 1:
        return message_of(identity, newest, voice, name, click)
    told = [message_of(each, alert, voice, name) for each, alert in found]
    return Message(
        id=identity,
        at=newest.at,
        kind="digest",
        title=voice.say("notice.title"),
        text=_joined([message.text for message in told], voice),
        urgency=max((message.urgency for message in told), key=("low", "normal", "high", "critical").index),
        click=click,
    )


def trial_message(identity: str, channel: str, voice: Voice, click: str | None) -> Message:
    """The marked message of `notify test`."""
    return Message(
        id=identity,
        at=voice.now,
        kind="test",
        title=voice.say("notice.title"),
        text=shortened(voice.say("notice.test", channel=channel)),
        urgency="normal",
        click=click,
        is_test=True,
    )


def _joined(texts: Sequence[str], voice: Voice) -> str:
    """As many sentences as 200 characters hold, and how many more there are."""
    space = voice.say("notice.digest.space")
    whole = voice.say("notice.digest", count=len(texts), texts=space.join(texts))
    for shown in range(len(texts), 0, -1):
        left = len(texts) - shown
        more = voice.say("notice.digest.more", count=left) if left else ""
        whole = voice.say("notice.digest", count=len(texts), texts=space.join(texts[:shown])) + more
        if len(whole) <= LONGEST:
            return whole
    return shortened(whole)


def _named(alert: Alert, name: Name) -> Alert:
    """The alert with every account in it called as the reader wants."""
    facts = {key: name(value) if key in _ACCOUNTS else value for key, value in alert.facts.items()}
    return replace(alert, account=None if alert.account is None else name(alert.account), facts=facts)
