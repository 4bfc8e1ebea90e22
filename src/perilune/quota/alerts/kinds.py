"""The kinds of alerts: their short names in a filter, whether they are on by themselves, how urgent they are."""

import re
from collections.abc import Sequence
from typing import Literal

Urgency = Literal["low", "normal", "high", "critical"]

ALL = "all"
_LEVEL = re.compile(r"window_(\d{1,3})")
_GROUPS: dict[str, tuple[str, ...]] = {
    "window": (),
    "early": ("runs_out_early",),
    "spent": ("spent",),
    "back": ("back",),
    "balance": ("balance_low", "balance_empty"),
    "key": ("credential_refused", "session_expired"),
    "failover": ("failover",),
    "upstream": ("upstream_down", "upstream_up"),
    "drift": ("drift",),
    "review": ("review_done", "review_failed"),
    "budget": ("budget_soft", "budget_hard"),
}
_OFF = frozenset({"upstream_down", "upstream_up", "drift", "review_done"})
_PASSES_QUIET = frozenset({"credential_refused", "balance_empty", "spent"})
_COALESCED = frozenset({"failover", "upstream_down", "upstream_up", "drift"})
_URGENCIES: dict[str, Urgency] = {
    "spent": "critical",
    "balance_empty": "critical",
    "credential_refused": "critical",
    "session_expired": "high",
    "balance_low": "high",
    "runs_out_early": "high",
    "budget_hard": "high",
    "review_failed": "high",
    "back": "low",
    "upstream_up": "low",
    "review_done": "low",
}
_HIGH_LEVEL = 90


def filter_words() -> list[str]:
    """Everything that a channel's `events` may name, beside `window_NN`."""
    return [ALL, *_GROUPS, *(kind for kinds in _GROUPS.values() for kind in kinds if kind not in _GROUPS)]


def is_filter_word(word: str) -> bool:
    """Whether a filter may say so."""
    return word in filter_words() or _LEVEL.fullmatch(word) is not None


def is_wanted(kind: str, events: Sequence[str]) -> bool:
    """Whether a channel with this filter takes alerts of a kind. `all` is what is on by itself."""
    for word in events:
        if word == kind or (word == ALL and kind not in _OFF):
            return True
        if kind in _GROUPS.get(word, ()) or (word == "window" and _LEVEL.fullmatch(kind)):
            return True
    return False


def passes_quiet(kind: str) -> bool:
    """Whether an alert is sent in quiet hours too."""
    return kind in _PASSES_QUIET


def is_coalesced(kind: str) -> bool:
    """Whether several in ten minutes are told as one."""
    return kind in _COALESCED


def urgency_of(kind: str) -> Urgency:
    """How loud an alert may be."""
    level = _LEVEL.fullmatch(kind)
    if level is not None:
        return "high" if int(level[1]) >= _HIGH_LEVEL else "normal"
    return _URGENCIES.get(kind, "normal")
