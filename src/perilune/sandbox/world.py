"""The world: the whole state of the played vendors, safe to touch from any thread."""

import copy
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from perilune.sandbox.accounts import Account, Membership
from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.clock import Clock
from perilune.sandbox.faults import Fault, FaultQueue
from perilune.sandbox.identity import Ids, web_session
from perilune.sandbox.journal import Journal, Recorded
from perilune.sandbox.logins import Logins
from perilune.sandbox.scenario import Scenario, Step, build_scenario, load_scenario, merged_tables
from perilune.sandbox.speech import Answerer, Script, Speaker
from perilune.sandbox.speech.cache import PromptCache
from perilune.sandbox.traffic import Traffic

_STATE_PARTS: dict[str, Any] = {"behaviour": Behaviour, "script": Script}


class World:
    """Everything the played vendors know and do. Every method may be called from any thread.

    Shape: `accounts` by the scenario's id; `lock` guards all state and is notified when a request comes or goes.
    """

    def __init__(self, scenario: str | Mapping[str, Any] | Scenario = "pong", *, clock: Clock | None = None) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._given_clock = clock
        self._releases: list[Callable[[], None]] = []
        self.answerer: Answerer | None = None
        self.load(scenario)

    def load(self, scenario: str | Mapping[str, Any] | Scenario) -> None:
        """Starts a scenario: all state is new."""
        match scenario:
            case str():
                chosen = load_scenario(scenario)
            case Scenario():
                chosen = copy.deepcopy(scenario)
            case _:
                chosen = build_scenario(scenario)
        with self.lock:
            self.scenario = chosen
            self.clock = self._given_clock or Clock(chosen.starts_at, frozen=chosen.is_frozen)
            self.began_at = self.clock.now()
            self.accounts: dict[str, Account] = chosen.accounts
            self.behaviour = chosen.behaviour
            self.speaker = Speaker(chosen.script, self.answerer)
            self.records_bodies = chosen.records_bodies
            self.faults = FaultQueue()
            for fault in chosen.faults:
                self.faults.add(fault)
            self.journal = Journal()
            self.logins = Logins(chosen.login)
            self.ids = Ids(chosen.seed)
            self._to_come = sorted(chosen.timeline, key=lambda step: step.at_s)
            self._traffic: dict[str, Traffic] = {}
            self._caches: dict[str, PromptCache] = {}
            self._give_web_sessions()
            self.tick()

    def _give_web_sessions(self) -> None:
        for account in self.accounts.values():
            if isinstance(account, Membership) and not account.web_sessions:
                account.web_sessions.append(web_session(account.region, account.user_id))

    # time

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Moves the clock ahead; what the timeline has until then happens."""
        self.clock.advance(seconds)
        self.tick()

    def freeze(self, at: datetime | None = None) -> None:
        self.clock.freeze()
        if at is not None:
            self.clock.set(at)
        self.tick()

    def tick(self) -> datetime:
        """Does what is due: steps of the timeline, resets of windows. Gives the time."""
        with self.lock:
            now = self.clock.now()
            while self._to_come and now >= (due := self.began_at + timedelta(seconds=self._to_come[0].at_s)):
                self._roll(due)
                self._apply(self._to_come.pop(0))
                self._roll(due)
            self._roll(now)
            return now

    def _roll(self, now: datetime) -> None:
        for account in self.accounts.values():
            if isinstance(account, Membership):
                account.roll(now)

    def _apply(self, step: Step) -> None:
        for name, fields in step.accounts.items():
            self._change(name, fields)
        for part in ("behaviour", "script"):
            fields = getattr(step, part)
            if fields:
                self._set_part(part, fields)
        for fault in step.faults:
            self.faults.add(fault)

    # state

    def set(self, account: str, /, **fields: Any) -> None:
        """Changes fields of an account, merging tables: `world.set("kimi-cn", windows={"5h": {"used": 200}})`.
        None in the place of a table takes it away: `windows={"7d": None}`.

        Raises: KeyError for an unknown account without a `plan` among the fields, msgspec.ValidationError.
        """
        with self.lock:
            self._change(account, fields)
            self.tick()
            self._changed.notify_all()

    def _change(self, account: str, fields: Mapping[str, Any]) -> None:
        known = self.accounts.get(account)
        if known is None and "plan" not in fields:
            raise KeyError(account)
        below = msgspec.to_builtins(known) if known is not None else {}
        merged = merged_tables(below, msgspec.to_builtins(dict(fields)))
        self.accounts[account] = msgspec.convert(merged, Account, strict=False)
        self._give_web_sessions()

    def remove(self, account: str) -> None:
        with self.lock:
            del self.accounts[account]

    def behave(self, **switches: Any) -> None:
        """Turns switches of `Behaviour`."""
        self._set_part("behaviour", switches)

    def say(self, **script: Any) -> None:
        """Changes the script: `world.say(text="OK", gap_ms=20)`."""
        self._set_part("script", script)

    def answer_with(self, answerer: Answerer | None) -> None:
        """Lets a callable answer first; where it gives None the script speaks.

        It is called on the sandbox's own thread and must not wait for the sandbox.
        """
        with self.lock:
            self.answerer = answerer
            self.speaker.answerer = answerer

    def _set_part(self, part: str, fields: Mapping[str, Any]) -> None:
        with self.lock:
            below = self.behaviour if part == "behaviour" else self.speaker.script
            merged = merged_tables(msgspec.to_builtins(below), msgspec.to_builtins(dict(fields)))
            value = msgspec.convert(merged, _STATE_PARTS[part])
            if part == "behaviour":
                self.behaviour = value
            else:
                self.speaker.script = value

    # what was seen

    def requests(self, *, path: str = "*", host: str = "*", key: str = "*", method: str = "*") -> list[Recorded]:
        """Requests seen so far that match the globs, oldest first."""
        with self.lock:
            return self.journal.select(path=path, host=host, key=key, method=method)

    def traffic(self, account: str) -> Traffic:
        """The counters of one account group."""
        with self.lock:
            return self._traffic.setdefault(account, Traffic())

    def in_flight(self, account: str) -> int:
        """Answer requests of the account that are open now."""
        return self.traffic(account).open_now

    def max_in_flight(self, account: str) -> int:
        """The most answer requests of the account that were ever open at once, refused ones included."""
        return self.traffic(account).open_ever

    def cache(self, account: str) -> PromptCache:
        return self._caches.setdefault(account, PromptCache())

    def wait_for(self, holds: Callable[["World"], bool], timeout: float = 5.0) -> None:
        """Blocks until `holds(world)`; looked at whenever a request comes or goes. Raises: TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds(self), timeout):
                raise TimeoutError("the sandbox never came into that state")

    def touch(self) -> None:
        """Tells those who wait that something changed."""
        with self._changed:
            self._changed.notify_all()

    # faults

    def queue_fault(self, fault: Fault | None = None, /, **fields: Any) -> None:
        """Puts a fault into the queue: `world.queue_fault(refusal="code-err-403-weekly", path="/coding/*")`."""
        with self.lock:
            self.faults.add(fault or msgspec.convert(fields, Fault))

    def clear_faults(self) -> None:
        with self.lock:
            self.faults.clear()

    def on_release(self, let_go: Callable[[], None]) -> None:
        with self._changed:
            self._releases.append(let_go)
            self._changed.notify_all()

    def forget_release(self, let_go: Callable[[], None]) -> None:
        with self._changed:
            if let_go in self._releases:
                self._releases.remove(let_go)
            self._changed.notify_all()

    @property
    def held(self) -> int:
        """Answers that a fault with `hold` keeps back."""
        return len(self._releases)

    def release(self, count: int | None = None) -> None:
        """Lets held answers go, the oldest first; all of them by default."""
        with self.lock:
            chosen = self._releases[:count]
            del self._releases[:count]
        for let_go in chosen:
            let_go()

    def state(self) -> dict[str, Any]:
        """Everything as plain data, for the control surface."""
        with self.lock:
            now = self.tick()
            return {
                "scenario": self.scenario.title,
                "now": now,
                "is_frozen": self.clock.is_frozen,
                "accounts": msgspec.to_builtins(self.accounts),
                "behaviour": msgspec.to_builtins(self.behaviour),
                "script": msgspec.to_builtins(self.speaker.script),
                "logins": msgspec.to_builtins(list(self.logins.devices.values())),
                "traffic": {name: self._counts(name) for name in self.accounts},
                "requests_by_path": dict(self.journal.by_path),
                "held": self.held,
            }

    def _counts(self, account: str) -> dict[str, int]:
        seen = self.traffic(account)
        return {
            "in_flight": seen.open_now,
            "max_in_flight": seen.open_ever,
            "admitted": seen.admitted,
            "max_admitted": seen.admitted_ever,
            "total": seen.total,
        }
