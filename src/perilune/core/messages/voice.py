"""Voice: how one reader hears numbers, times and sentences: language, zone, moment, glyphs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.core.errors import Problem
from perilune.core.messages.catalogue import Language, message
from perilune.core.messages.times import age_text, date_text, duration_text, time_text
from perilune.core.money import Money
from perilune.core.numbers import plain

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


class Words(Struct, frozen=True):
    """A problem put into words. `fix` lines are runnable commands or addresses, the free remedy first."""

    code: str
    what: str
    why: str | None
    fix: tuple[str, ...]
    note: str | None


class Voice(Struct, frozen=True, kw_only=True):
    """Puts facts into one reader's words.

    Units: `now` is an aware datetime; durations are timedeltas. Values handed to `say` may be text, whole numbers,
    Decimals, Money, datetimes (printed as a clock) and timedeltas (printed as a duration).
    """

    language: Language = "en"
    zone: tzinfo = UTC
    now: datetime = datetime.fromtimestamp(0, UTC)
    clock_format: Literal["24h", "12h"] = "24h"
    with_currency_codes: bool = False

    def say(self, message_id: str, /, **values: object) -> str:
        """The text of a message with its placeholders filled. An unknown id is a fault of ours and raises KeyError."""
        text = message(self.language, message_id)
        if text is None:
            raise KeyError(message_id)
        return text.format_map({name: self.word(value) for name, value in values.items()})

    def word(self, value: object) -> str:
        """One value as it stands inside a sentence."""
        match value:
            case Money():
                return value.shown(with_code=self.with_currency_codes)
            case datetime():
                return self.clock(value)
            case timedelta():
                return self.duration(value)
            case Decimal():
                return plain(value)
            case None:
                return "–"
            case bool():
                return str(value).lower()
            case int():
                return f"{value:,}"
            case _:
                return str(value)

    def duration(self, span: timedelta) -> str:
        """`45s`, `12m`, `2h 07m`, `3d 2h`; minutes round up, so that a reset is never promised too early."""
        return duration_text(max(-(-span // _SECOND), 0), self.language)

    def age(self, span: timedelta) -> str:
        """`12s`, `47m`, `3h`, `2d`, rounded down; the sentence around it says "ago"."""
        return age_text(int(max(span.total_seconds(), 0)), self.language)

    def age_ago(self, span: timedelta) -> str:
        """`12s ago`, `47 分钟前`."""
        return f"{self.age(span)} ago" if self.language == "en" else f"{self.age(span)}前"

    def clock(self, at: datetime, *, round_up: bool = False) -> str:
        """`22:07`; on another day with weekday and date, in another year with the year. Resets round up."""
        local = at.astimezone(self.zone)
        if round_up and (local.second or local.microsecond):
            local = (at + _MINUTE).astimezone(self.zone)
        today = self.now.astimezone(self.zone)
        time = time_text(local.hour, local.minute, self.clock_format)
        if local.date() == today.date():
            return time
        return f"{self.date(local, with_year=local.year != today.year)} {time}"

    def date(self, local: datetime, *, with_year: bool = False) -> str:
        """`Wed 25 Nov`, `11月25日 周三`; with the year when it is not this one."""
        return date_text(local.year, local.month, local.day, local.weekday(), self.language, with_year=with_year)

    def explain(self, problem: Problem) -> Words:
        """A problem as headline, cause, remedies and note. Remedies whose facts are not known are left out."""
        facts = {name: value for name, value in problem.facts.items() if value is not None}
        if problem.account is not None:
            facts.setdefault("account", problem.account)
        if problem.retry_at is not None:
            facts.setdefault("retry_at", problem.retry_at)
        if isinstance(expired_at := facts.get("expired_at"), datetime):
            facts["expired_ago"] = self.age_ago(self.now - expired_at)
        what = self._line(problem, "what", facts) or self._line(problem, "title", facts) or problem.code
        why = self._line(problem, "why", facts)
        if problem.words:
            quoted = self.say("common.vendor_says", words=problem.words)
            why = self._joined(why, quoted) if why else quoted
        if why and problem.request_id:
            why = f"{why} ({problem.request_id})"
        fixes = (self._line(problem, f"fix.{number}", facts) for number in range(1, 6))
        return Words(problem.code, what, why, tuple(fix for fix in fixes if fix), self._line(problem, "note", facts))

    def _joined(self, first: str, second: str) -> str:
        """Two sentences in a row; a zh-CN one may stand without its full stop where it ends a line."""
        if "\n" in first or self.language == "en":
            return f"{first}\n{second}" if "\n" in first else f"{first} {second}"
        return f"{first.rstrip('。')}。{second}"

    def _line(self, problem: Problem, part: str, facts: Mapping[str, object]) -> str | None:
        for variant in (*problem.variant.split(), ""):
            text = message(self.language, ".".join(filter(None, (problem.code, part, variant))))
            if text is not None:
                break
        else:
            return None
        try:
            return text.format_map({name: self.word(value) for name, value in facts.items()})
        except KeyError:
            return None
