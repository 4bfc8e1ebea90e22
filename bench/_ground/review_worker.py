"""A process that works on review jobs as `perilune up` does, its spans a tenth as long so that many can be killed."""

import asyncio
import os
from datetime import timedelta

from perilune.compose.engine import Engine
from perilune.compose.review_worker import review_worker
from perilune.compose.workbench import Workbench
from perilune.review.jobs.worker import Pace
from perilune.review.publish import sending

SCALE = int(os.environ.get("BENCH_SCALE", "10"))
PACE = Pace(
    lease=timedelta(seconds=30 / SCALE),
    heartbeat_s=10 / SCALE,
    poll_s=1 / SCALE,
    wait_after_fault=timedelta(seconds=30 / SCALE),
)


async def work() -> None:
    """Work until killed."""
    sending.RECONCILE_AFTER /= SCALE
    sending.SEND_WITHIN /= SCALE
    bench = Workbench()
    await review_worker(Engine(bench, bench.monitoring_now()), PACE).run()


if __name__ == "__main__":
    asyncio.run(work())
