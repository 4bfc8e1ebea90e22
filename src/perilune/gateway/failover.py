"""The failover table: what a class of outcome leads to. Pure. Source: gateway reference 5.1."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from perilune.providers.contract.outcome import OutcomeClass as Is

MOST_TRIES_PER_SLOT = 2
Policy = Literal["next", "same_then_next", "wait", "stop"]
RateRule = Literal["wait_then_failover", "failover", "wait"]


class Move(StrEnum):
    """What is done next."""

    NEXT = "next"
    SAME = "same"
    CORRECTED = "corrected"
    AS_MESSAGES = "as_messages"
    REQUEUE = "requeue"
    LARGER = "larger"
    STOP = "stop"


class Step(Struct, frozen=True):
    """One decision. Units: `wait_s` seconds before it is done."""

    move: Move
    wait_s: float = 0


class Situation(Struct, frozen=True, kw_only=True):
    """What a decision depends on besides the class.

    Shape: `tries` on this slot so far, this one included; `any_byte` a byte of an answer had come; `retry_after_s` as
    the vendor says; `jitter` 0..1; `policy` the route's own word for this class; `others_in_flight` requests of ours on
    the same account group; `unknowns` outcomes of class unknown so far. Units: `remaining_s` seconds to the deadline.
    """

    is_committed: bool = False
    tries: int = 1
    any_byte: bool = False
    retry_after_s: float | None = None
    remaining_s: float = 1800
    rate_wait_s: float = 5
    rate_rule: RateRule = "wait_then_failover"
    policy: Policy | None = None
    jitter: float = 0.5
    was_corrected: bool = False
    can_correct: bool = False
    can_speak_messages: bool = False
    was_requeued: bool = False
    others_in_flight: int = 0
    unknowns: int = 1
    has_next: bool = True


PROMPT_CAUSED = frozenset({Is.BAD_REQUEST, Is.CONTENT_FILTERED, Is.BAD_PARAM, Is.CONTEXT_OVERFLOW, Is.BODY_TOO_LARGE})
RATES = frozenset({Is.RATE_RPM, Is.RATE_TPM, Is.RATE_OTHER})
_STOPS = frozenset({Is.BAD_REQUEST, Is.CONTENT_FILTERED, Is.CLIENT_GONE, Is.TIMEOUT_TOTAL, Is.OK})
_SHORT_WAIT_S = (0.25, 1.0)


def decide(kind: Is, now: Situation) -> Step:
    """What follows an outcome. After the commit point, or when the prompt caused it, the answer is the end."""
    if now.is_committed or kind in _STOPS:
        return Step(Move.STOP)
    if now.policy is not None and kind not in PROMPT_CAUSED:
        return _by_policy(now.policy, now)
    if kind in RATES:
        return _rate(now)
    if kind is Is.BUSY:
        return _same_once(now, _short_wait(now) if now.retry_after_s is None else now.retry_after_s)
    if kind in (Is.TRANSIENT, Is.NET_RESET) and not now.any_byte:
        return _same_once(now, _short_wait(now))
    if kind is Is.RATE_CONCURRENCY:
        return _concurrency(now)
    return _once_or_next(kind, now)


def _once_or_next(kind: Is, now: Situation) -> Step:
    if kind is Is.BAD_PARAM:
        return Step(Move.CORRECTED if now.can_correct and not now.was_corrected else Move.STOP)
    if kind is Is.CLIENT_GATED and now.can_speak_messages:
        return Step(Move.AS_MESSAGES)
    if kind in (Is.CONTEXT_OVERFLOW, Is.BODY_TOO_LARGE):
        return Step(Move.LARGER)
    if kind is Is.UNKNOWN and now.unknowns > 1:
        return Step(Move.STOP)
    return Step(Move.NEXT)


def _by_policy(policy: Policy, now: Situation) -> Step:
    if policy == "stop":
        return Step(Move.STOP)
    if policy == "same_then_next":
        return _same_once(now, now.retry_after_s or _short_wait(now))
    if policy == "wait":
        wait = now.retry_after_s if now.retry_after_s is not None else _short_wait(now)
        return Step(Move.SAME, wait) if wait < now.remaining_s else Step(Move.NEXT)
    return Step(Move.NEXT)


def _rate(now: Situation) -> Step:
    wait = now.retry_after_s
    if wait is None or wait >= now.remaining_s or now.tries >= MOST_TRIES_PER_SLOT or now.rate_rule == "failover":
        return Step(Move.NEXT)
    is_short = wait <= now.rate_wait_s or now.rate_rule == "wait" or not now.has_next
    return Step(Move.SAME, wait) if is_short else Step(Move.NEXT)


def _concurrency(now: Situation) -> Step:
    may_requeue = not now.was_requeued and now.others_in_flight > 0 and now.tries < MOST_TRIES_PER_SLOT
    return Step(Move.REQUEUE if may_requeue else Move.NEXT)


def _same_once(now: Situation, wait_s: float) -> Step:
    fits = now.tries < MOST_TRIES_PER_SLOT and wait_s < now.remaining_s
    is_short = wait_s <= max(now.rate_wait_s, _SHORT_WAIT_S[1])
    return Step(Move.SAME, wait_s) if fits and is_short else Step(Move.NEXT)


def _short_wait(now: Situation) -> float:
    low, high = _SHORT_WAIT_S
    return low + (high - low) * now.jitter
