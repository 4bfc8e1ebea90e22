"""The board: what the monitor knows of each account, in memory, as the gateway asks for it on its hot path."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from perilune.catalog.load import Catalogue
from perilune.catalog.models import Model, merge_live
from perilune.core.live_models import LiveModel
from perilune.core.money import Money
from perilune.quota.held import Held, Known
from perilune.quota.refusals import resolve
from perilune.quota.snapshot import Refusal, Snapshot, Window
from perilune.quota.status import judge
from perilune.quota.verdict import Verdict

_MOST_MODELS = 1000
_OF_THE_KEY = ("credential", "membership")
_DOUBT_EVERY = timedelta(seconds=30)


class _Judgement(Struct, frozen=True):
    """A verdict and how long it stands without a new reading: to the next reset or end of a refusal."""

    verdict: Verdict
    until: datetime | None


class Board:
    """Verdicts, windows, models by account. Reading it never waits; what the gateway learns is handed on.

    Shape: `keep` stores a refusal (None: an account is served again) and returns at once; `nudge` asks for a reading.
    """

    def __init__(
        self,
        known: Mapping[str, Known],
        catalogue: Catalogue,
        *,
        keep: Callable[[str, Refusal | None], None],
        nudge: Callable[[str], object],
    ) -> None:
        self._known = known
        self._catalogue = catalogue
        self._keep = keep
        self._nudge = nudge
        self._held: dict[str, Held] = {}
        self._judged: dict[str, _Judgement] = {}
        self._unclear: set[str] = set()
        self._traits: dict[tuple[str, str], Model | None] = {}
        self._doubted: dict[str, datetime] = {}
        self._live: dict[tuple[str, str], Model] = {}
        self._merged: dict[tuple[str, date, LiveModel], Model] = {}

    def know(self, known: Mapping[str, Known]) -> None:
        """The accounts of another version of the configuration."""
        self._known = known
        self._judged.clear()
        self._live = self._live_traits()

    def load(self, held: Mapping[str, Held], now: datetime) -> None:
        """Take over what the store holds now; refusals that named no window are settled by the new reading."""
        self._held = dict(held)
        self._judged.clear()
        self._live = self._live_traits()
        for account in list(self._unclear):
            self._settle(account, now)

    def verdict(self, account: str, now: datetime) -> Verdict | None:
        """The verdict on an account; None where nothing is known of it."""
        found = self._judged.get(account)
        if found is not None and (found.until is None or now < found.until):
            return found.verdict
        held, known = self._held.get(account), self._known.get(account)
        if held is None or known is None:
            return None
        judged = judge(known, held, now)
        self._judged[account] = _Judgement(judged.verdict, _next_change(judged.windows, judged.refusals, now))
        return judged.verdict

    def read_at(self, account: str) -> datetime | None:
        """When the last reading was taken."""
        held = self._held.get(account)
        return held.snapshot.fetched_at if held and held.snapshot else None

    def windows(self, account: str) -> Sequence[Window]:
        """The windows of the last reading."""
        held = self._held.get(account)
        return held.snapshot.windows if held and held.snapshot else ()

    def snapshot(self, account: str) -> Snapshot | None:
        """The last good reading."""
        held = self._held.get(account)
        return held.snapshot if held else None

    def balance(self, account: str) -> Money | None:
        """The money available by the last reading."""
        held = self._held.get(account)
        balance = held.snapshot.balance if held and held.snapshot else None
        return None if balance is None else Money(balance.available, balance.currency)

    def models(self, account: str) -> tuple[str, ...]:
        """The ids of the live model list."""
        held = self._held.get(account)
        return held.snapshot.models if held and held.snapshot else ()

    def traits(self, account: str, plan: str, model: str) -> Model | None:
        """What the model can do: the account's live list over the catalogue; None for a model that neither knows."""
        live = self._live.get((account, model))
        if live is not None:
            return live
        if (plan, model) not in self._traits:
            if len(self._traits) >= _MOST_MODELS:
                self._traits.clear()  # names come from clients
            self._traits[plan, model] = self._catalogue.model(plan, model)
        return self._traits[plan, model]

    def refused(self, refusal: Refusal) -> None:
        """A vendor said no: it counts at once, is kept, and the account is read anew."""
        self._remember(refusal)
        if refusal.kind == "quota" and refusal.window is None:
            self._unclear.add(refusal.account)
        self._keep(refusal.account, refusal)
        self._nudge(refusal.account)

    def served(self, account: str, now: datetime) -> None:
        """A success ends what a refusal had said, and makes a reading of full doubtful."""
        held = self._held.get(account)
        if held is None:
            return
        if held.refusals:
            self._held[account] = replace(held, refusals=())
            self._judged.pop(account, None)
            self._unclear.discard(account)
            self._keep(account, None)
        verdict = self.verdict(account, now)
        read_at = self.read_at(account)
        if verdict and verdict.usable is False and read_at is not None and now - read_at > _DOUBT_EVERY:
            self._nudge(account)

    def doubtful(self, account: str, now: datetime) -> None:
        """A fresh reading is wanted, half a minute after the last one at the earliest."""
        read_at, asked_at = self.read_at(account), self._doubted.get(account)
        if (read_at is None or now - read_at > _DOUBT_EVERY) and (asked_at is None or now - asked_at > _DOUBT_EVERY):
            self._doubted[account] = now
            self._nudge(account)

    def renewed(self, account: str) -> None:
        """The key of an account is another one: what was said of the old one no longer holds."""
        held = self._held.get(account)
        if held is not None and any(one.kind in _OF_THE_KEY for one in held.refusals):
            self._held[account] = replace(held, refusals=tuple(r for r in held.refusals if r.kind not in _OF_THE_KEY))
            self._judged.pop(account, None)
            self._keep(account, None)

    def _live_traits(self) -> dict[tuple[str, str], Model]:
        """The rows of models that the accounts' own lists describe. What did not change stays the same object."""
        found: dict[tuple[str, str], Model] = {}
        merged, self._merged = self._merged, {}
        for account, held in self._held.items():
            reading = held.snapshot
            if reading is None:
                continue
            plan, day = reading.plan, (reading.profile_at or reading.fetched_at).date()
            for live in reading.live_models:
                key = (plan, day, live)
                row = merged.get(key) or merge_live(self._catalogue.model(plan, live.id), live, plan, day)
                found[account, live.id] = self._merged[key] = row
        return found

    def _remember(self, refusal: Refusal) -> None:
        held = self._held.get(refusal.account, Held())
        others = tuple(one for one in held.refusals if one.kind != refusal.kind)
        self._held[refusal.account] = replace(held, refusals=(*others, refusal))
        self._judged.pop(refusal.account, None)

    def _settle(self, account: str, now: datetime) -> None:
        """A refusal whose sentence named no window, and a reading taken after it: the full window is the one meant."""
        held = self._held.get(account)
        unclear = [one for one in held.refusals if one.kind == "quota" and one.window is None] if held else []
        if held is None or not unclear:
            self._unclear.discard(account)
            return
        refusal = unclear[0]
        if held.snapshot is None or held.snapshot.fetched_at < refusal.at:
            return
        self._unclear.discard(account)
        settled = resolve(account, None, held.snapshot.windows, refusal.at)
        if settled.window is not None:
            self._remember(settled)
            self._keep(account, settled)


def _next_change(windows: Sequence[Window], refusals: Sequence[Refusal], now: datetime) -> datetime | None:
    moments = [window.resets_at for window in windows if window.resets_at is not None and window.resets_at > now]
    moments += [refusal.until for refusal in refusals if refusal.until is not None and refusal.until > now]
    return min(moments, default=None)
