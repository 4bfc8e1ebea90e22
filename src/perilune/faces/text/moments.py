"""Resets, pace and age of a status document, each as one phrase."""

from datetime import datetime, timedelta

from perilune.core.messages import Voice
from perilune.faces.text.figures import exact
from perilune.quota.document import AccountDocument, WindowDocument
from perilune.quota.wording import percent_left, window_word

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def server_now(account: AccountDocument, generated_at: datetime) -> datetime:
    """The moment that the account's times are counted from: its reading plus its age."""
    if account.fetched_at is None or account.age_s is None:
        return generated_at
    return account.fetched_at + timedelta(seconds=account.age_s)


def age(account: AccountDocument, voice: Voice) -> str:
    """`12s ago`; empty without a reading."""
    return "" if account.age_s is None else voice.age_ago(timedelta(seconds=account.age_s))


def reset_phrase(window: WindowDocument, voice: Voice) -> str:
    """`resets in 2h 07m (22:07)`, `reset due …`, `starts with the next request`, or nothing known."""
    if window.resets_at is None:
        return voice.say("status.starts") if window.used_ratio == 0 else ""
    if window.resets_at <= voice.now:
        return voice.say("status.due", clock=voice.clock(window.resets_at, round_up=True))
    wait = window.resets_at - voice.now
    form = "later" if wait > _DAY else "soon"
    return voice.say(f"status.resets.{form}", **_both_clocks(window.resets_at, voice))


def reset_cell(window: WindowDocument, voice: Voice) -> str:
    """The reset in a table: `in 2h 07m (22:07)` within a day, else weekday and date."""
    if window.resets_at is None:
        return voice.say("status.starts") if window.used_ratio == 0 else "–"
    if window.resets_at <= voice.now:
        return voice.say("status.due.short", clock=voice.clock(window.resets_at, round_up=True))
    if window.resets_at - voice.now > _DAY:
        return voice.clock(window.resets_at, round_up=True)
    return voice.say("status.brief.soon", **_both_clocks(window.resets_at, voice))


def pace_phrase(window: WindowDocument, voice: Voice, *, is_verbose: bool = False) -> str:
    """`at this pace empty 21:15, 52m too early`, `lasts until reset`, or nothing."""
    pace = window.pace
    if pace is None:
        return ""
    if not pace.lasts:
        if pace.empty_at is None or window.resets_at is None:
            return ""
        early = _minute(window.resets_at + _MINUTE - timedelta(microseconds=1)) - _minute(pace.empty_at)
        return voice.say("status.empty", clock=voice.clock(pace.empty_at), early=early)
    lasts = voice.say("status.lasts")
    return voice.say("status.join").join((lasts, _distance(window, voice))) if is_verbose else lasts


def pace_word(window: WindowDocument, voice: Voice) -> str:
    """`empty 21:15`, `lasts`, or nothing."""
    pace = window.pace
    if pace is None:
        return ""
    if pace.lasts:
        return voice.say("status.lasts.short")
    return "" if pace.empty_at is None else voice.say("status.empty.short", clock=voice.clock(pace.empty_at))


def back_phrase(window: WindowDocument, account: AccountDocument, voice: Voice) -> str:
    """When a spent window is back; within a day also that waiting is free and what else is left."""
    until = account.effective.until if account.effective.blocked_by == window.id else None
    at = until or window.resets_at
    if at is None or at <= voice.now:
        return voice.say("status.back.unknown")
    back = voice.say("status.back", **_both_clocks(at, voice))
    if at - voice.now > _DAY:
        return back
    other = _longest_unspent(window, account)
    if other is None or other.used_ratio is None:
        return voice.say("status.waiting", back=back)
    word = window_word(other.id, other.label, voice)
    unused = percent_left(exact(other.used_ratio))
    return voice.say("status.waiting.other", back=back, window=word, percent=unused)


def stale_phrase(account: AccountDocument, voice: Voice) -> str:
    """`last confirmed 47m ago: api.kimi.com timed out 3 times`."""
    why = account.error.brief if account.error else None
    if why is None:
        return voice.say("status.stale", age=age(account, voice))
    return voice.say("status.stale.why", age=age(account, voice), why=why)


def _both_clocks(at: datetime, voice: Voice) -> dict[str, object]:
    return {"wait": at - voice.now, "clock": voice.clock(at, round_up=True)}


def _distance(window: WindowDocument, voice: Voice) -> str:
    if window.pace is None or window.used_ratio is None:
        return ""
    points = round((exact(window.used_ratio) - exact(window.pace.expected_ratio)) * 100)
    if window.pace.stage == "on-track":
        return voice.say("status.pace.even")
    return voice.say("status.pace.above" if points > 0 else "status.pace.below", points=abs(points))


def _longest_unspent(window: WindowDocument, account: AccountDocument) -> WindowDocument | None:
    others = [w for w in account.windows if w.id != window.id and w.used_ratio is not None and w.used_ratio < 1]
    return max(others, key=lambda other: other.span_s or 0, default=None)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
