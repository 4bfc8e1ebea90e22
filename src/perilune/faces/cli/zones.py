"""The reader's time zone: `--tz`, `TZ`, the configuration, the system."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from perilune.core.errors import UsageError

_SYSTEM_ZONE = Path("/etc/localtime")


def reader_zone(flag: str | None, environment: Mapping[str, str], configured: str | None) -> tzinfo:
    """The zone that times are shown in. A flag must name one; other names that do not exist are passed over."""
    if flag is not None:
        zone = _named(flag)
        if zone is None:
            raise UsageError.of("PL-USAGE", variant="zone", value=flag)
        return zone
    for name in (environment.get("TZ", "").removeprefix(":"), configured):
        zone = _named(name) if name else None
        if zone is not None:
            return zone
    return _system_zone()


def _named(name: str) -> tzinfo | None:
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
    return (_named(name) if name else None) or datetime.now(UTC).astimezone().tzinfo or UTC
