"""What one process learned of caps and rates is believed by the others, and after a restart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perilune.compose.accounts import CAP
from perilune.compose.background import Background
from perilune.compose.lessons import Lessons
from perilune.gateway.admission import Admission, MemoryPlaces
from perilune.gateway.rates import Rates
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.store.engine import Store, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.db")
    yield opened
    opened.close()


async def test_caps_and_rates_that_another_process_learned_hold_here_until_they_end(store: Store) -> None:
    behind = Background()
    theirs = Lessons(store, behind)
    learning = Rates(lambda group, name, value: theirs.keep(group, name, value, NOW))
    learning.learn("g", Outcome(kind=Is.RATE_RPM, limit=9))
    learning.learn("g", Outcome(kind=Is.RATE_TPM, limit=5000))
    theirs.keep("g", CAP, 3, NOW, 3600)
    behind.close()
    admission, rates, ours = Admission(MemoryPlaces()), Rates(), Lessons(store, behind)
    admission.configure("g", 30)
    for _ in range(2):
        ours.take_in(ours.read(NOW + timedelta(minutes=30)), admission, rates, NOW + timedelta(minutes=30))
    assert (admission.cap("g"), admission.state("g").learned) == (3, 3)
    gate = rates.gate("g")
    assert gate is not None
    line = vars(gate)["_line"]
    assert (line.requests.per_minute, line.tokens.per_minute) == (9, 5000)
    assert [one.name for one in ours.read(NOW + timedelta(hours=2))] == ["rpm", "tpm"]
    assert ours.read(NOW + timedelta(hours=25)) == []
    admission.close()


async def test_a_user_s_new_cap_is_not_lowered_again_by_an_old_lesson(store: Store) -> None:
    behind = Background()
    lessons = Lessons(store, behind)
    lessons.keep("g", CAP, 3, NOW, 3600)
    behind.close()
    admission = Admission(MemoryPlaces())
    admission.configure("g", 30)
    lessons.take_in(lessons.read(NOW), admission, Rates(), NOW)
    admission.configure("g", 50)
    lessons.take_in(lessons.read(NOW), admission, Rates(), NOW)
    assert admission.cap("g") == 50
    admission.close()
