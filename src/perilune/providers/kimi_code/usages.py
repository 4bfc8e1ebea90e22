"""Readings from an answer of the usages call, in all shapes it has had. What cannot be read is named, never guessed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from perilune.core.numbers import parse_integer, parse_number
from perilune.providers.kimi_code.wire import first_of, text_of
from perilune.quota import naming
from perilune.quota.reading import of_counts, of_ratio, reset_time
from perilune.quota.snapshot import Reading, WindowPart

_WEEK_S = 604_800
_COUNTS = ("limit", "used", "remaining")
_RESETS = ("resetTime", "resetAt", "reset_time", "reset_at", "periodEnd", "period_end")
_FROM_NOW = ("reset_in", "resetIn", "ttl")
_RATIOS = ("used_ratio", "usedRatio", "ratio")
_MONTH_TOTAL, _MONTH_CODE = "limit_month_total", "limit_month_code"


class Found(Struct):
    """What an answer gave so far: readings, named shares of windows, parts that could not be read."""

    readings: list[Reading] = msgspec.field(default_factory=list)
    parts: dict[str, tuple[WindowPart, ...]] = msgspec.field(default_factory=dict)
    drift: list[str] = msgspec.field(default_factory=list)

    def take(self, reading: Reading | None, name: str) -> None:
        """Keep a reading; one that is missing or has no use is noted as a part that could not be read."""
        if reading is not None:
            self.readings.append(reading)
        if reading is None or reading.used_ratio is None:
            self.drift.append(name)

    def note_odd(self, block: Mapping[str, Any], name: str) -> None:
        """Note the fields of a block that was read all the same and that hold no number or time."""
        if name in self.drift:
            return
        odd = [field for field in _COUNTS if block.get(field) is not None and parse_number(block[field]) is None]
        reset = next((field for field in _RESETS if block.get(field) is not None), None)
        if reset is not None and reset_time(block[reset]) is None:
            odd.append(reset)
        self.drift += [f"{name}.{field}" for field in odd]

    @property
    def has_use(self) -> bool:
        return any(reading.used_ratio is not None for reading in self.readings)


def read_counts(found: Found, usage: Any, limits: Any, origin: str, now: datetime, names: tuple[str, str]) -> None:
    """Counts: the 7-day block and the list of further windows. `names` are the fields' names in drift notes."""
    if isinstance(usage, dict):
        found.take(_counts(usage, usage, "7d", origin, now, span_s=_WEEK_S), names[0])
        found.note_odd(usage, names[0])
    elif usage is not None:
        found.drift.append(names[0])
    if isinstance(limits, list):
        _read_items(found, limits, "limits" if origin == "usage" else origin, now, names[1])
    elif limits is not None:
        found.drift.append(names[1])


def read_ratios(found: Found, usages: Any, now: datetime) -> None:
    """The map of ratios: `limit_<x>`, and other keys whose value holds a ratio."""
    for key, value in usages.items() if isinstance(usages, dict) else ():
        holds_ratio = isinstance(value, dict) and any(name in value for name in _RATIOS)
        if not key.startswith("limit_") and not holds_ratio:
            continue
        if not isinstance(value, dict):
            found.drift.append(f"usages.{key}")
        elif key == _MONTH_CODE:
            _read_month_share(found, first_of(value, *_RATIOS), f"usages.{key}")
        else:
            found.take(_ratio(key, value, now), f"usages.{key}")
            found.note_odd(value, f"usages.{key}")


def read_month_share(found: Found, ratio: Any, name: str) -> None:
    """The coding share of the month pool: a part of that window, never one of its own."""
    _read_month_share(found, ratio, name)


def reset_of(value: Mapping[str, Any], now: datetime) -> datetime | None:
    """The reset of a block: a time under any of its names, else seconds from now."""
    written = first_of(value, *_RESETS)
    if written is not None:
        return reset_time(written)
    seconds = parse_number(first_of(value, *_FROM_NOW))
    if seconds is None or not 0 < seconds <= 400 * 86_400:
        return None
    return now + timedelta(seconds=float(seconds))


def concurrency_of(parallel: Any) -> int | None:
    """`parallel.limit` as a positive whole number."""
    limit = parse_integer(parallel.get("limit")) if isinstance(parallel, dict) else None
    return limit if limit is not None and limit > 0 else None


def _read_month_share(found: Found, ratio: Any, name: str) -> None:
    number = parse_number(ratio)
    if number is None or number < 0:
        found.drift.append(name)
    else:
        found.parts[naming.MONTH] = (WindowPart("code", number),)


def _ratio(key: str, value: Mapping[str, Any], now: datetime) -> Reading | None:
    rest = key.removeprefix("limit_")
    window = naming.MONTH if key == _MONTH_TOTAL else rest.replace("_", "-")
    return of_ratio(
        window,
        "usages",
        ratio=first_of(value, *_RATIOS),
        resets_at=reset_of(value, now),
        span_s=naming.span_of_short(rest),
        label=text_of(first_of(value, "name", "title")),
    )


def _read_items(found: Found, items: list[Any], origin: str, now: datetime, name: str) -> None:
    seen: dict[str, str | None] = {}
    for position, item in enumerate(items, start=1):
        reading = _item(item, position, origin, now) if isinstance(item, dict) else None
        if reading is not None:
            reading = _told_apart(reading, seen)
        found.take(reading, f"{name}[{position - 1}]")
        if isinstance(item, dict):
            found.note_odd(_detail(item), f"{name}[{position - 1}]")
            if "window" in item and _span(item, _detail(item)) is None:
                found.drift.append(f"{name}[{position - 1}].window")


def _item(item: Mapping[str, Any], position: int, origin: str, now: datetime) -> Reading | None:
    detail = _detail(item)
    label = text_of(first_of(item, "name", "title", "scope")) or text_of(first_of(detail, "name", "title", "scope"))
    span_s = _span(item, detail) or (naming.span_in_words(label) if label else None)
    window = f"limit-{position}" if span_s is None else naming.id_of_span(span_s)
    return _counts(detail, item, window, origin, now, span_s=span_s, label=label)


def _detail(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where an item keeps its figures."""
    detail = item.get("detail")
    return detail if isinstance(detail, dict) else item


def _span(item: Mapping[str, Any], detail: Mapping[str, Any]) -> int | None:
    for place in (item.get("window"), item, detail):
        if isinstance(place, dict) and "duration" in place:
            return naming.span_of(parse_number(place["duration"]), first_of(place, "timeUnit", "time_unit"))
    return None


def _told_apart(reading: Reading, seen: dict[str, str | None]) -> Reading:
    """Two items of one id and different names are two windows; the second carries its name in its id."""
    if reading.window not in seen:
        seen[reading.window] = reading.label
        return reading
    first_label = seen[reading.window]
    if not first_label or not reading.label or first_label == reading.label:
        return reading
    return msgspec.structs.replace(reading, window=f"{reading.window}-{naming.slug(reading.label)}")


def _counts(
    block: Mapping[str, Any],
    outer: Mapping[str, Any],
    window: str,
    origin: str,
    now: datetime,
    *,
    span_s: int | None,
    label: str | None = None,
) -> Reading | None:
    return of_counts(
        window,
        origin,
        limit=block.get("limit"),
        used=block.get("used"),
        remaining=block.get("remaining"),
        resets_at=reset_of(block, now) or reset_of(outer, now),
        span_s=span_s,
        label=label,
    )
