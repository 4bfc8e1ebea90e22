"""Whatever happens in whatever order: live leases never exceed the cap, and all of them end."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.admission.conftest import BACKENDS

from perilune.gateway.admission import Admission, Lease, MemoryPlaces, Priority, Refused, Rules
from perilune.gateway.admission.port import Places

_PROGRAMS = 2
_MOVES = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "end", "end", "cancel", "cap", "crash", "refusal", "turn", "turn"]),
        st.integers(0, 1),
        st.integers(0, 50),
    ),
    max_size=60,
)


def _locked(folder: Path) -> Places:
    from perilune.gateway.admission.locks import LockedPlaces

    return LockedPlaces(folder)


class _World:
    """Two programs on one group."""

    def __init__(self, open_places: Callable[[], Places]) -> None:
        self.cap = 4
        self._open = open_places
        self.programs = [self._program() for _ in range(_PROGRAMS)]
        self.waiting: list[list[asyncio.Task[Lease | Refused]]] = [[] for _ in self.programs]
        self.live: list[list[Lease]] = [[] for _ in self.programs]

    def _program(self) -> Admission:
        admission = Admission(self._open(), Rules(queue_max=20))
        admission.configure("g", self.cap)
        return admission

    def ask(self, who: int, number: int) -> None:
        priority, owner = Priority(number % 3), "xyz"[number % 3]
        task = asyncio.create_task(self.programs[who].acquire("g", owner, priority, None))
        self.waiting[who].append(task)

    def end(self, who: int, number: int) -> None:
        if self.live[who]:
            self.live[who].pop(number % len(self.live[who])).release()

    def cancel(self, who: int, number: int) -> None:
        if self.waiting[who]:
            self.waiting[who][number % len(self.waiting[who])].cancel()

    def set_cap(self, number: int) -> None:
        self.cap = 1 + number % 6
        for program in self.programs:
            program.configure("g", self.cap)

    async def crash(self, who: int) -> None:
        for task in self.waiting[who]:
            task.cancel()
        await asyncio.gather(*self.waiting[who], return_exceptions=True)
        self.programs[who].close()
        self.waiting[who], self.live[who] = [], []
        self.programs[who] = self._program()

    async def turn(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        for who, tasks in enumerate(self.waiting):
            done = [task for task in tasks if task.done()]
            self.waiting[who] = [task for task in tasks if not task.done()]
            answers = [task.result() for task in done if not task.cancelled()]
            self.live[who] += [answer for answer in answers if isinstance(answer, Lease)]

    def count_live(self) -> int:
        return sum(program.state("g").in_flight for program in self.programs)

    async def finish(self) -> None:
        async with asyncio.timeout(20):
            while any(self.waiting) or any(self.live):
                for who in range(_PROGRAMS):
                    self.end(who, 0)
                await self.turn()
                await asyncio.sleep(0.001)


async def _play(open_places: Callable[[], Places], moves: list[tuple[str, int, int]]) -> None:
    world = _World(open_places)
    for kind, who, number in moves:
        before = world.count_live()
        if kind == "ask":
            world.ask(who, number)
        elif kind == "end":
            world.end(who, number)
        elif kind == "cancel":
            world.cancel(who, number)
        elif kind == "cap":
            world.set_cap(number)
        elif kind == "crash":
            await world.crash(who)
        elif kind == "refusal":
            world.programs[who].refused("g")
        await world.turn()
        assert world.count_live() <= max(world.cap, before)
    await world.finish()
    assert world.count_live() == 0
    assert all(program.state("g").queued == 0 for program in world.programs)
    for program in world.programs:
        program.close()


@pytest.mark.skipif("locks" not in BACKENDS, reason="byte locks are used on Linux")
@settings(deadline=None, max_examples=200)
@given(_MOVES)
def test_two_programs_with_locks(moves: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(lambda: _locked(Path(folder)), moves))


@settings(deadline=None, max_examples=200)
@given(_MOVES)
def test_one_program_in_memory(moves: list[tuple[str, int, int]]) -> None:
    alone = [(kind, 0, number) for kind, _, number in moves if kind != "crash"]
    asyncio.run(_play(MemoryPlaces, alone))


_MERGES = st.lists(st.tuples(st.sampled_from(["a", "b", "end", "merge"]), st.integers(0, 20)), max_size=40)


@settings(deadline=None)
@given(_MERGES)
def test_a_merge_keeps_the_sum_below_the_cap(moves: list[tuple[str, int]]) -> None:
    asyncio.run(_play_merge(moves))


async def _play_merge(moves: list[tuple[str, int]]) -> None:
    admission, live, is_one = Admission(MemoryPlaces()), [], False
    for name in "ab":
        admission.configure(name, 3)
    for kind, number in moves:
        before = len([lease for lease in live if lease.is_live])
        if kind in "ab":
            lease = await admission.try_acquire(kind)
            live += [lease] if lease else []
        elif kind == "end" and live:
            live.pop(number % len(live)).release()
        elif kind == "merge":
            admission.merge("a", into="b")
            is_one = True
        now = len([lease for lease in live if lease.is_live])
        assert now <= (max(3, before) if is_one else 6)
        assert admission.state("b").in_flight == (now if is_one else len([x for x in live if x.group == "b"]))
    for lease in live:
        lease.release()
    assert admission.state("b").in_flight_all == 0
