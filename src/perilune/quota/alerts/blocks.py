"""Alerts of the verdict: spent, no money, refused; and back, once a newer reading confirms it."""

from datetime import datetime, timedelta

from perilune.core.instants import to_rfc3339
from perilune.core.money import Money
from perilune.quota.alerts.model import Alert, BlockEdges
from perilune.quota.snapshot import ReadFailure
from perilune.quota.status import Judged

_NO_WINDOW = ("quota", "balance", "membership", "credential")
_LATER = timedelta(seconds=60)
_UNNAMED_RESTS = timedelta(hours=1)
_SESSION_CODES = {"PL-COOKIE-EXPIRED": "web", "PL-LOGIN-EXPIRED": "login"}
_STATUS = {"PL-401-KEY": "401", "PL-401-HOST": "401", "PL-403-BANNED": "403"}


def block_alerts(judged: Judged, before: BlockEdges | None) -> tuple[BlockEdges | None, list[Alert]]:
    """What the verdict is worth telling, compared with what was told."""
    by = _blocked_by(judged)
    if by is None:
        return _unblocked(judged, before)
    if before is None and not _is_seen_now(judged, by):
        return None, []
    until = judged.verdict.until
    edges = BlockEdges(by=by, until=until, read_at=_newer(_read_at(judged), before))
    if before is not None and not _is_another(before, by, until):
        return edges, []
    return edges, [_blocked(judged, by)]


def _blocked_by(judged: Judged) -> str | None:
    """What blocks the account; an ended login counts too, though the verdict says nothing of it."""
    if judged.verdict.usable is False:
        return judged.verdict.blocked_by
    failure = judged.held.failure
    return "credential" if failure is not None and failure.code in _SESSION_CODES else None


def _is_seen_now(judged: Judged, by: str) -> bool:
    """Whether something newer than an old reading says so: a live refusal, a refused read, or a fresh reading."""
    return bool(judged.refusals) or by in ("credential", "membership") or not judged.is_old


def _is_another(before: BlockEdges, by: str, until: datetime | None) -> bool:
    """Whether this is worth telling again: another reason, or another window that blocks for longer."""
    if by == before.by or (before.by == "quota" and by not in _NO_WINDOW):
        return False
    if by == "quota" and before.by not in _NO_WINDOW:
        return False
    if by in _NO_WINDOW or before.by in _NO_WINDOW:
        return True
    return before.until is not None and (until is None or until - before.until > _LATER)


def _blocked(judged: Judged, by: str) -> Alert:
    facts: dict[str, str] = {}
    if judged.verdict.until is not None:
        facts["until"] = to_rfc3339(judged.verdict.until)
    if by == "credential":
        return _refused(judged, facts)
    if by == "balance":
        balance = judged.held.snapshot.balance if judged.held.snapshot else None
        if balance is not None:
            facts |= {"amount": Money(balance.available, balance.currency).amount_text(), "currency": balance.currency}
        return _alert("balance_empty", judged, facts)
    if by == "membership":
        return _alert("spent", judged, facts | {"code": "PL-402-MEMBER"})
    if by == "quota":
        return _alert("spent", judged, facts)
    label = next((window.label for window in judged.windows if window.id == by), by)
    return _alert("spent", judged, facts | {"label": label}, window=by)


def _refused(judged: Judged, facts: dict[str, str]) -> Alert:
    failure = judged.held.failure
    refusal = next((one for one in judged.refusals if one.kind == "credential"), None)
    since = refusal.at if refusal else (failure.since or failure.at) if failure else judged.now
    code = refusal.code if refusal else failure.code if failure else "PL-401-KEY"
    told = facts | {"since": to_rfc3339(since), "status": _STATUS.get(code, "403"), "code": code}
    if code in _SESSION_CODES:
        return _alert("session_expired", judged, told | {"source": _SESSION_CODES[code]})
    return _alert("credential_refused", judged, told)


def _unblocked(judged: Judged, before: BlockEdges | None) -> tuple[BlockEdges | None, list[Alert]]:
    """Over only by a reading newer than those seen while it was blocked; a window that is gone ends without a word."""
    if before is None or not _is_confirmed(judged, before):
        return before, []
    window = next((window for window in judged.windows if window.id == before.by), None)
    if before.by not in _NO_WINDOW and window is None:
        return None, []
    if before.by == "credential":
        return None, []
    if window is not None and (not window.is_reliable or window.used_ratio is None):
        return before, []
    if window is None or (window.used_ratio is not None and window.used_ratio >= 1):
        return None, [_alert("back", judged, {})]
    return None, [_alert("back", judged, {"label": window.label}, window=window.id)]


def _is_confirmed(judged: Judged, before: BlockEdges) -> bool:
    read_at = _read_at(judged)
    if judged.verdict.usable is not True or judged.is_old or read_at is None:
        return False
    if before.read_at is not None and read_at <= before.read_at:
        return False
    return before.by != "quota" or _has_rested(judged)


def _has_rested(judged: Judged) -> bool:
    """A refusal that no window explained says more than a plain reading: it is over by a success, or after an hour."""
    refusals = [one for one in judged.held.refusals if one.kind == "quota"]
    return all(judged.now - (one.until or one.at) > _UNNAMED_RESTS for one in refusals)


def _read_at(judged: Judged) -> datetime | None:
    return judged.held.snapshot.fetched_at if judged.held.snapshot else None


def _newer(read_at: datetime | None, before: BlockEdges | None) -> datetime | None:
    known = [at for at in (read_at, before.read_at if before else None) if at is not None]
    return max(known, default=None)


def _alert(kind: str, judged: Judged, facts: dict[str, str], *, window: str | None = None) -> Alert:
    return Alert(kind=kind, at=judged.now, account=judged.known.name, window=window, facts=facts)


def is_unreachable(failure: ReadFailure | None) -> bool:
    """Whether an account could not be read because nobody answered."""
    return failure is not None and failure.code.startswith(("PL-NET-", "PL-5XX"))
