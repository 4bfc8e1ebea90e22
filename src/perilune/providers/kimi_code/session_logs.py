"""Session logs of the vendor's command lines: the token counts of each step, nothing of what was said.

Source: `sessions/**/wire.jsonl` in `KIMI_CODE_HOME` or `~/.kimi-code` (lines `usage.record`), and in `KIMI_SHARE_DIR`
or `~/.kimi` (lines `StatusUpdate`); as third parties read them, seen 2026-11.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from perilune.core.decoding import converted, decoded
from perilune.core.instants import parse_instant
from perilune.core.numbers import parse_integer
from perilune.quota.logged import LoggedUse

ORIGIN = "kimi-log"
_FILE = "wire.jsonl"
_MARKS = (b'"usage.record"', b'"StatusUpdate"')
_MOST_TOKENS = 2**31 - 1


class _Counts(Struct, frozen=True):
    """The newer program writes camel case, the older one snake case."""

    inputOther: Any = None  # noqa: N815 - the vendor's name
    inputCacheRead: Any = None  # noqa: N815
    inputCacheCreation: Any = None  # noqa: N815
    input_other: Any = None
    input_cache_read: Any = None
    input_cache_creation: Any = None
    output: Any = None


class _Payload(Struct, frozen=True):
    message_id: Any = None
    token_usage: _Counts | None = None


class _Message(Struct, frozen=True):
    type: Any = None
    payload: _Payload | None = None


class _Line(Struct, frozen=True):
    type: Any = None
    usageScope: Any = None  # noqa: N815 - the vendor's name
    time: Any = None
    timestamp: Any = None
    model: Any = None
    usage: _Counts | None = None
    message: Any = None


def log_files(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Every session log there is, of both programs."""
    newer = Path(environment.get("KIMI_CODE_HOME") or home / ".kimi-code")
    older = Path(environment.get("KIMI_SHARE_DIR") or home / ".kimi")
    return [file for root in (newer, older) for file in sorted((root / "sessions").rglob(_FILE))]


def logged_use(line: bytes) -> LoggedUse | None:
    """What a line says was used; None for one that tells of no use or cannot be read."""
    if not any(mark in line for mark in _MARKS):
        return None
    try:
        read = decoded(line, _Line)
        if read.type == "usage.record" and read.usage is not None:
            return None if read.usageScope not in (None, "turn") else _newer(read, read.usage)
        message = converted(read.message, _Message)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    usage = message.payload.token_usage if message.payload is not None else None
    return _older(read, message.payload, usage) if message.type == "StatusUpdate" and usage else None


def _newer(line: _Line, usage: _Counts) -> LoggedUse | None:
    model = line.model if isinstance(line.model, str) else None
    counts = (usage.inputOther, usage.inputCacheRead, usage.inputCacheCreation, usage.output)
    return _use(parse_instant(line.time), model, counts, f"{line.time}/{model}")


def _older(line: _Line, payload: _Payload | None, usage: _Counts) -> LoggedUse | None:
    message_id = payload.message_id if payload is not None else None
    counts = (usage.input_other, usage.input_cache_read, usage.input_cache_creation, usage.output)
    name = f"message/{message_id}" if isinstance(message_id, str) and message_id else None
    return _use(parse_instant(line.timestamp), None, counts, f"{line.timestamp}", name)


def _use(
    at: datetime | None, model: str | None, counts: tuple[Any, ...], when: str, name: str | None = None
) -> LoggedUse | None:
    """A record under a digest of itself: a copy of it in another file is the same record."""
    fresh, read, write, output = (max(parse_integer(count) or 0, 0) for count in counts)
    total = fresh + read + write
    if at is None or not 0 < total + output <= _MOST_TOKENS:
        return None
    digest = sha256((name or f"{when}/{fresh}/{read}/{write}/{output}").encode()).hexdigest()[:32]
    return LoggedUse(
        id=digest,
        at=at,
        model=model,
        input_tokens=total,
        cache_read_tokens=read,
        cache_write_tokens=write,
        output_tokens=output,
    )
