"""A disk that is full, a store that somebody else holds: answers go on, and the rows come later."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from bench._ground.asking import Answer, Verdict, ask, body_of, judge, request_of
from bench._ground.fleet import Service
from bench._ground.storm import TEXT, ground

LATER_S = 60.0


def asked(service: Service, count: int = 6) -> list[Verdict]:
    """What so many clients got."""

    async def all_of_them() -> list[Answer]:
        request = request_of("chat", body_of("chat", model="m0", is_stream=True))
        return [await ask(service.port, request) for _ in range(count)]

    return [judge(answer, "chat", is_stream=True, text=TEXT) for answer in asyncio.run(all_of_them())]


def later(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + LATER_S
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


def words(service: Service) -> str:
    """Everything that it wrote to its log and to standard error."""
    return service.said + "".join(file.read_text(errors="replace") for file in service.home.rglob("*.log*"))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs limits that can be set from outside")
def test_a_full_disk_stops_no_answer_and_loses_no_row() -> None:
    with ground() as (service, _):
        assert asked(service) == [Verdict("answer")] * 6
        assert later(lambda: len(service.ledger_ids()) == 6)
        assert service.process is not None
        unlimited = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (4_096, unlimited[1]))
        assert asked(service) == [Verdict("answer")] * 6
        assert service.get("/healthz")[0] == 200
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, unlimited)
        assert later(lambda: len(service.ledger_ids()) == 12)
        assert list(service.complaints()) == []
        assert service.terminate() == 0
        assert "Traceback" not in words(service)


def test_a_store_held_by_somebody_else_stops_no_answer_and_loses_no_row() -> None:
    with ground() as (service, _):
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert asked(service) == [Verdict("answer")] * 6
            assert service.get("/healthz")[0] == 200
            assert service.ledger_ids() == []
            other.execute("ROLLBACK")
        assert later(lambda: len(service.ledger_ids()) == 6)
        assert service.terminate() == 0
        assert "Traceback" not in words(service)
