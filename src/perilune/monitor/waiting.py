"""How long to leave an account alone after a failed read."""

from datetime import datetime, timedelta

from perilune.core.errors import Problem
from perilune.quota.snapshot import ReadFailure
from perilune.quota.status import CREDENTIAL_CODES, MEMBERSHIP_CODE

_UNREACHABLE_MIN = (1, 2, 5, 15, 30)
_MEMBERSHIP_MIN = (5, 30)
_THROTTLED_S, _LONGEST_THROTTLED_S = 60, 30 * 60
_LONGEST_ASKED = timedelta(hours=24)
_EQUAL_AGAIN = timedelta(seconds=60)


def failure_of(
    problem: Problem, account: str, before: ReadFailure | None, at: datetime, credential: str
) -> ReadFailure:
    """A failed read, counted on from the one before it, with the time of the next try."""
    same = before if before is not None and before.code == problem.code else None
    count = before.count + 1 if before is not None else 1
    in_a_row = _in_a_row(same, before)
    asked = problem.retry_at if problem.retry_at is not None and problem.retry_at > at else None
    return ReadFailure(
        account=account,
        at=at,
        code=problem.code,
        variant=problem.variant,
        facts={name: str(value) for name, value in problem.facts.items()},
        words=problem.words,
        request_id=problem.request_id,
        retry_at=min(asked, at + _LONGEST_ASKED) if asked else at + patience(problem.code, in_a_row),
        count=count,
        since=(same.since or same.at) if same else at,
        is_asked_wait=problem.code == "PL-429-READ" or asked is not None,
        credential=credential or None,
    )


def patience(code: str, times: int) -> timedelta:
    """The wait after the `times`-th failure of one kind."""
    if code == MEMBERSHIP_CODE:
        return timedelta(minutes=_MEMBERSHIP_MIN[min(times, len(_MEMBERSHIP_MIN)) - 1])
    if code == "PL-429-READ":
        return timedelta(seconds=min(_THROTTLED_S * 2 ** (min(times, 10) - 1), _LONGEST_THROTTLED_S))
    if code in CREDENTIAL_CODES:
        return _EQUAL_AGAIN
    return timedelta(minutes=_UNREACHABLE_MIN[min(times, len(_UNREACHABLE_MIN)) - 1])


def is_hopeless(failure: ReadFailure | None, credential: str) -> bool:
    """True when the same credential was refused twice, at least a minute apart: only a new one helps."""
    if failure is None or failure.code not in CREDENTIAL_CODES or failure.count < 2:
        return False
    is_same = failure.credential is None or failure.credential == credential
    return is_same and failure.since is not None and failure.at - failure.since >= _EQUAL_AGAIN


def is_told_to_wait(failure: ReadFailure | None, now: datetime) -> bool:
    """True while the vendor's own wait runs."""
    return failure is not None and failure.is_asked_wait and failure.retry_at is not None and failure.retry_at > now


def _in_a_row(same: ReadFailure | None, before: ReadFailure | None) -> int:
    """How many failures of one kind in a row: counts restart when the kind changes."""
    return same.count + 1 if same is not None and before is not None else 1
