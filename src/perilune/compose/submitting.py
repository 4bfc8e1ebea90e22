"""Triggers of reviews as durable jobs, whether a webhook or a list of open pull requests told of them."""

from datetime import datetime, timedelta

import msgspec

from perilune.core.ids import uuid7
from perilune.review.trigger import COMMAND, REVIEW, Trigger
from perilune.store.job_rows import NewJob, Submitted
from perilune.store.jobs import Jobs


def submit_trigger(jobs: Jobs, trigger: Trigger, now: datetime) -> Submitted:
    """The job of a trigger; reviews of older heads are superseded by a new one."""
    where = trigger.job.where
    job = NewJob(
        id=str(uuid7(now)), key=trigger.key, kind=trigger.kind, input=msgspec.json.encode(trigger.job),
        repository=f"{where.forge}/{where.host}/{where.repository}",
        # Commands answer at once; only reviews of one pull request wait for each other.
        subject=where.subject if trigger.kind == REVIEW else trigger.key,
        priority=0 if trigger.kind == COMMAND else 1, not_before=now + timedelta(seconds=trigger.settle_s),
    )  # fmt: skip
    submitted = jobs.submit(job, now)
    if submitted.is_new and trigger.kind == REVIEW:
        jobs.supersede(where.subject, [REVIEW], submitted.id, "a newer head", now)
    return submitted
