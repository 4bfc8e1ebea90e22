"""Two reviews at once never count on the same rest."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs
from tests.patches.shapes import Repo
from tests.review.scripted import ScriptedAnswerer, findings, requests_window, review, slot

from perilune.review.ports import Amounts, SlotView
from perilune.review.result import RunStatus
from perilune.store.engine import Store, open_store
from perilune.store.reservations import Reservations

FIVE = ("work", "5h")


class Shared:
    """One account with ten requests left, and what runs hold of it in a real store."""

    def __init__(self, store: Store, left: int = 10) -> None:
        self._kept = Reservations(store)
        self._left = left
        self.reserved: list[Decimal] = []
        self.read_at = datetime(2026, 1, 1, tzinfo=UTC)  # before every request

    def slots(self, run: str = "") -> Sequence[SlotView]:
        held = self._kept.held(datetime.now(UTC), run).get(FIVE, Decimal(0))
        given = slot(requests_window(self._left, reserved=held))
        return [structs.replace(given, read_at=self.read_at)]

    async def refresh(self) -> None:
        return None

    async def reserve(self, run: str, wanted: Amounts, seen: Amounts) -> bool:
        kept = self._kept.reserve(run, wanted, seen, timedelta(hours=1), datetime.now(UTC))
        if kept:
            self.reserved.append(wanted[FIVE])
        return kept

    async def settle(self, run: str, left: Amounts) -> None:
        self._kept.settle(run, left, timedelta(hours=1), datetime.now(UTC))

    def held(self) -> Decimal:
        return self._kept.held(datetime.now(UTC)).get(FIVE, Decimal(0))


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(open_store(tmp_path / "store.sqlite3"))


def _changed(repo: Repo, files: int = 12) -> Repo:
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(files):
        repo.write(f"p{number}/m.py", "".join(f"v{line} = {line}\n" for line in range(1_400)))
    return repo


@pytest.mark.case("review R10.4")
async def test_of_two_runs_at_once_the_second_plans_with_what_the_first_leaves(repo: Repo, shared: Shared) -> None:
    _changed(repo, 3)
    answerer = ScriptedAnswerer(findings())
    runs = [review(repo, answerer, quota=shared, reservations=shared) for _ in range(2)]
    results = await asyncio.gather(*runs)
    assert max(shared.reserved) == 4
    assert sum(shared.reserved) <= 6
    assert len(answerer.requests) <= sum(shared.reserved)
    assert all(result.status in (RunStatus.COMPLETE, RunStatus.PARTIAL, RunStatus.DEFERRED) for result in results)


async def test_what_was_asked_stays_held_until_a_reading_has_counted_it(repo: Repo, shared: Shared) -> None:
    _changed(repo, 1)
    answerer = ScriptedAnswerer(findings())
    await review(repo, answerer, quota=shared, reservations=shared)
    assert shared.held() == len(answerer.requests) > 0


async def test_what_a_later_reading_has_counted_is_given_back(repo: Repo, shared: Shared) -> None:
    _changed(repo, 1)
    shared.read_at = datetime(2027, 1, 1, tzinfo=UTC)  # after every request
    await review(repo, ScriptedAnswerer(findings()), quota=shared, reservations=shared)
    assert shared.held() == 0


async def test_a_preview_holds_nothing(repo: Repo, shared: Shared) -> None:
    await review(_changed(repo, 1), quota=shared, reservations=shared, preview=True)
    assert (shared.reserved, shared.held()) == ([], 0)
