"""Durations, ages and dates as text, from plain numbers. Imports nothing: a status line passes through here.

Units: seconds are whole; weekdays count from Monday, 0.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from perilune.core.messages.catalogue import Language

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh-CN": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZH_UNITS = {"days": "天", "hours": "小时", "minutes": "分钟", "seconds": "秒"}


def duration_text(seconds: int, language: Language) -> str:
    """`45s`, `12m`, `2h 07m`, `3d 2h`; minutes round up, so that a reset is never promised too early."""
    if seconds < 60:
        return _unit("seconds", max(seconds, 0), language)
    minutes = -(-seconds // 60)
    hours, rest = divmod(minutes, 60)
    if minutes < 60:
        return _unit("minutes", minutes, language)
    if minutes < 24 * 60:
        behind = f"{rest:02d}m" if language == "en" else f"{rest} 分"
        return f"{_unit('hours', hours, language)} {behind}"
    days, hours = divmod(hours, 24)
    return f"{_unit('days', days, language)} {_unit('hours', hours, language)}"


def age_text(seconds: int, language: Language) -> str:
    """`12s`, `47m`, `3h`, `2d`, rounded down; the sentence around it says "ago"."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return _unit(unit, seconds // size, language)
    return _unit("seconds", max(seconds, 0), language)


def time_text(hour: int, minute: int, clock_format: str) -> str:
    """`22:07`, or `10:07 PM`."""
    if clock_format == "24h":
        return f"{hour:02d}:{minute:02d}"
    return f"{hour % 12 or 12}:{minute:02d} {'AM' if hour < 12 else 'PM'}"


def date_text(year: int, month: int, day: int, weekday: int, language: Language, *, with_year: bool = False) -> str:
    """`Wed 25 Nov`, `11月25日 周三`; with the year when it is not this one."""
    name = weekday_text(weekday, language)
    if language == "zh-CN":
        return f"{f'{year}年' if with_year else ''}{month}月{day}日 {name}"
    return f"{name} {day} {_MONTHS[month - 1]}{f' {year}' if with_year else ''}"


def weekday_text(weekday: int, language: Language) -> str:
    """`Wed`, `周三`."""
    return _DAYS[language][weekday]


def _unit(unit: str, number: int, language: Language) -> str:
    return f"{number}{unit[0]}" if language == "en" else f"{number} {_ZH_UNITS[unit]}"
