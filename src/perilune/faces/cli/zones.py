"""The reader's time zone: `--tz`, `TZ`, the configuration, the system."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path

_SYSTEM_ZONE = Path("/etc/localtime")


def reader_zone(flag: str | None, environment: Mapping[str, str], configured: str | None) -> tzinfo:
    """The zone that times are shown in; names that do not exist are passed over."""
    for name in (flag, environment.get("TZ", "").removeprefix(":"), configured):
        zone = named_zone(name) if name else None
        if zone is not None:
            return zone
    return _system_zone()


def named_zone(name: str) -> tzinfo | None:
    """The zone of that name, None where there is none."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _system_zone() -> tzinfo:
    try:
        name = str(_SYSTEM_ZONE.resolve(strict=True)).partition("zoneinfo/")[2]
    except OSError:
        name = ""
    return (named_zone(name) if name else None) or datetime.now(UTC).astimezone().tzinfo or UTC
