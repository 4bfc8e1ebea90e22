"""The budget of a repository's day: cut, spent, and whole again the next day."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.review.pulls.desk import Desk

from perilune.review.pulls.day import is_spent, within_day
from perilune.review.settings import Budget, PerDay
from perilune.store.day_spend import Spent, spent_since
from perilune.store.engine import Store
from perilune.store.job_rows import JobState, NewJob
from perilune.store.jobs import Jobs
from perilune.store.schema import requests

MORNING = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spent", "most", "expected"),
    [
        (Spent(), PerDay(requests=3), {"max_requests": 3}),
        (Spent(requests=2), PerDay(requests=3), {"max_requests": 1}),
        (Spent(requests=2), PerDay(requests=90), {"max_requests": 40}),
        (Spent(cost={"USD": Decimal("0.75")}), PerDay(cost="USD 1"), {"max_cost": "USD 0.25"}),
        (Spent(cost={"CNY": Decimal(9)}), PerDay(cost="USD 1"), {"max_cost": "USD 1"}),
    ],
)
def test_a_review_gets_what_is_left_of_the_day(spent: Spent, most: PerDay, expected: dict[str, object]) -> None:
    budget = Budget(per_day=most)
    assert not is_spent(budget, spent)
    assert within_day(budget, spent, {"budget": {"max_share": 0.5}})["budget"] == {"max_share": 0.5, **expected}


def test_a_spent_day_is_said_to_be_over() -> None:
    assert is_spent(Budget(per_day=PerDay(requests=3)), Spent(requests=3))
    assert is_spent(Budget(per_day=PerDay(cost="USD 1")), Spent(cost={"USD": Decimal("1.01")}))
    assert not is_spent(Budget(), Spent(requests=900))


def test_what_was_spent_is_read_from_the_ledger_by_repository_and_day(store: Store) -> None:
    def asked(number: int, run: str, at: datetime, **more: object) -> None:
        row = {
            "id": f"{number}", "received_at": int(at.timestamp() * 1000), "owner": "review", "run": run,
            "surface": "chat", "is_stream": False, "outcome": "ok", "attempts": 1, "cost": "0.25", "currency": "USD",
        }  # fmt: skip
        with store.begin() as connection:
            connection.execute(requests.insert().values(row | more))

    for run, repository in (("one", "gitea/h/team/shop"), ("two", "gitea/h/team/other")):
        Jobs(store).submit(NewJob(id=run, key=run, kind="review", input=b"", repository=repository), MORNING)
    asked(1, "one", MORNING - timedelta(seconds=1))
    asked(2, "one", MORNING)
    asked(3, "one", MORNING + timedelta(hours=3), cost=None)
    asked(4, "one", MORNING + timedelta(hours=4), attempts=0)
    asked(5, "two", MORNING)
    assert spent_since(store, "gitea/h/team/shop", MORNING) == Spent(requests=2, cost={"USD": Decimal("0.25")})


@pytest.mark.parametrize("dialect", ["gitea"], indirect=True)
async def test_a_repository_whose_day_is_spent_waits_for_the_next(desk: Desk) -> None:
    desk.user = {"budget": {"per_day": {"requests": 3}}}
    desk.spent = lambda repository, since: Spent(requests=3 if since == MORNING else 0)  # type: ignore[method-assign]
    row = await desk.review()
    assert (row.state, row.reason) == (JobState.DEFERRED, "PL-REVIEW-BUDGET")
    assert row.not_before == MORNING + timedelta(days=1, seconds=1)
    assert desk.answerer.requests == []
    [status] = desk.scene.repository.statuses
    assert "Sat 21 Nov 00:00" in status.description
    desk.scene.clock.advance((row.not_before - desk.scene.clock.now()).total_seconds())
    await desk.worker().run_until_idle()
    row = desk.jobs.row(row.id)
    assert row is not None
    assert (row.state, len(desk.summaries)) == (JobState.DONE, 1)
