"""Times in tables: whole milliseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@overload
def to_ms(at: datetime) -> int: ...
@overload
def to_ms(at: None) -> None: ...
def to_ms(at: datetime | None) -> int | None:
    """An aware instant as a table keeps it, rounded down to the millisecond."""
    return None if at is None else (at - _EPOCH) // _MILLISECOND


@overload
def from_ms(milliseconds: int) -> datetime: ...
@overload
def from_ms(milliseconds: None) -> None: ...
def from_ms(milliseconds: int | None) -> datetime | None:
    """The instant that a table keeps."""
    return None if milliseconds is None else _EPOCH + milliseconds * _MILLISECOND
