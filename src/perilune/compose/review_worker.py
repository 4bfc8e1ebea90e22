"""The service's share of durable review jobs: a worker over the store, woken by webhooks."""

from perilune.compose.engine import Engine
from perilune.compose.processes import this_process
from perilune.compose.pull_access import EngineAccess
from perilune.review.jobs.worker import Handler, Pace, Worker
from perilune.review.pulls.commands import PullCommands
from perilune.review.pulls.learning import PullLessons
from perilune.review.pulls.work import PullReviews
from perilune.review.trigger import COMMAND, LEARN, REVIEW
from perilune.store.jobs import Jobs


def review_worker(engine: Engine, pace: Pace | None = None) -> Worker:
    """The worker of this process; at the steady pace, as many at once as the settings say, unless another is given."""
    jobs = Jobs(engine.store)
    access = EngineAccess(engine)
    now = engine.bench.now
    handlers: dict[str, Handler] = {
        REVIEW: PullReviews(access, now),
        COMMAND: PullCommands(access, jobs, now),
        LEARN: PullLessons(access, now),
    }
    steady = Pace(most_running=engine.monitoring.config.review.max_running)
    return Worker(this_process(), jobs, handlers, pace or steady, now)
