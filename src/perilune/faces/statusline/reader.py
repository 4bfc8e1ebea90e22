"""The reader of a status line: language, clock, zone, moment; texts, durations and clocks in these."""

from __future__ import annotations

import sys
import time
from importlib import import_module

from perilune.core.messages.times import age_text, date_text, duration_text, time_text, weekday_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from perilune.core.messages.catalogue import Language

    Local = Callable[[int], tuple[int, ...]]

_PACKAGES = {"en": "en", "zh-CN": "zh_cn"}


class Reader:
    """Puts facts into one reader's words. Units: moments are seconds since 1970, spans seconds."""

    def __init__(
        self, language: Language, now: int, zone: str | None = None, *, clock: str = "24h", shows_left: bool = False
    ) -> None:
        self.language = language
        self.now = now
        self.shows_left = shows_left
        self._clock_format = clock
        self._local = _local_time(zone)

    def say(self, message_id: str, /, **values: object) -> str:
        """The text of a message with its placeholders filled; KeyError for an unknown id."""
        area = message_id.partition(".")[0]
        module = import_module(f"perilune.core.messages.{_PACKAGES[self.language]}.{area}")
        text: str = module.MESSAGES[message_id]
        return text.format_map(values)

    def window(self, window_id: str, label: str) -> str:
        """`5 h`, `7 days`; the server's own label for a window we do not know."""
        try:
            return self.say(f"windows.{window_id}")
        except KeyError:
            return label

    def short(self, span: int) -> str:
        """`2h07m`, `5d3h`: the same in every language."""
        return duration_text(span, "en").replace(" ", "")

    def span(self, span: int) -> str:
        """`2h 07m`, `2 小时 7 分`."""
        return duration_text(span, self.language)

    def ago(self, age: int) -> str:
        """`12s ago`, `12 秒前`."""
        return self.say("statusline.ago", age=age_text(age, self.language))

    def age(self, age: int) -> str:
        """`47m`: the same in every language."""
        return age_text(age, "en")

    def clock(self, moment: int, *, round_up: bool = False, is_short: bool = False) -> str:
        """`22:07`; on another day with the date, or in short with the weekday alone. Resets round up."""
        if round_up:
            moment = -(-moment // 60) * 60
        year, month, day, hour, minute, weekday = self._local(moment)
        this_year, this_month, today, *_ = self._local(self.now)
        time_of_day = time_text(hour, minute, self._clock_format)
        if (year, month, day) == (this_year, this_month, today):
            return time_of_day
        if is_short:
            return f"{weekday_text(weekday, self.language)} {time_of_day}"
        date = date_text(year, month, day, weekday, self.language, with_year=year != this_year)
        return f"{date} {time_of_day}"


def _local_time(zone: str | None) -> Local:
    """Year, month, day, hour, minute, weekday of a moment: in a named zone, else in the process's own."""
    if zone is None and sys.platform != "win32":
        return lambda moment: _fields(time.localtime(moment))
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    named = None if zone is None else UTC if zone.upper() in ("UTC", "Z") else ZoneInfo(zone)
    return lambda moment: _fields(datetime.fromtimestamp(moment, UTC).astimezone(named).timetuple())


def _fields(local: time.struct_time) -> tuple[int, ...]:
    return (local.tm_year, local.tm_mon, local.tm_mday, local.tm_hour, local.tm_min, local.tm_wday)
