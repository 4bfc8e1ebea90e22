"""Which slots can be used now: what is open, spent or too small is passed over without a call. Source: 5.1 and 6.6."""

from datetime import datetime, timedelta

from perilune.gateway.ports import Accounts
from perilune.gateway.slots import Slot
from perilune.gateway.states import ScopeState
from perilune.providers.contract.classify import code_of
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.table import Found
from perilune.providers.contract.words import VendorError
from perilune.quota.verdict import Verdict

OLD_READING = timedelta(minutes=10)


def by_state(state: ScopeState) -> Outcome:
    """The outcome of a slot that is passed over because one of its scopes is open."""
    return Outcome(kind=state.reason, code=state.code, retry_at=state.until, words=state.words, window=state.window)


def by_verdict(slot: Slot, accounts: Accounts, now: datetime) -> Outcome | None:
    """The outcome of a slot whose account is blocked by the last reading or a live refusal; None when it may be used.

    A reading older than 10 minutes counts only where it names a reset that still lies ahead; unknown never blocks.
    """
    verdict = accounts.verdict(slot.account, now)
    if verdict is None or verdict.usable is not False:
        return None
    if verdict.until is not None and verdict.until <= now:
        return None
    if verdict.until is None and verdict.refused_at is None and _is_old(slot, accounts, verdict, now):
        return None
    return _blocked(verdict)


def _is_old(slot: Slot, accounts: Accounts, verdict: Verdict, now: datetime) -> bool:
    if verdict.blocked_by in ("credential", "membership"):
        return False
    snapshot = accounts.snapshot(slot.account)
    return snapshot is None or now - snapshot.fetched_at > OLD_READING


def _blocked(verdict: Verdict) -> Outcome:
    kinds = {"credential": Is.AUTH_REFUSED, "membership": Is.MEMBER_LAPSED, "balance": Is.BALANCE_EMPTY}
    kind = kinds.get(verdict.blocked_by or "", Is.QUOTA_SPENT)
    window = verdict.blocked_by if kind is Is.QUOTA_SPENT and verdict.blocked_by != "quota" else None
    code = code_of(Found(kind=kind, window=window), None, VendorError())
    return Outcome(kind=kind, code=code, window=window, retry_at=verdict.until)
