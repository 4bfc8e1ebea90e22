"""What a host said when a key was tried, kept as a reading of its account, so that nobody has to ask again."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from perilune.monitor.waiting import failure_of
from perilune.providers.contract.probing import Probed
from perilune.quota.resets import back_filled
from perilune.store.snapshots import Snapshots


def keep_probed(
    snapshots: Snapshots, account: str, credential: str, probed: Probed, now: datetime, interval: timedelta
) -> None:
    """Keep an understood answer as the last reading, anything else as a failed read with its wait.

    Shape: `credential` is the keyed digest of the key that was tried.
    """
    if probed.snapshot is not None:
        read = replace(probed.snapshot, account=account, credential=credential)
        snapshots.save(back_filled(read, snapshots.latest().get(account)), now, now + interval)
    elif probed.problem is not None:
        state = snapshots.reads().get(account)
        problem = replace(probed.problem, account=account, facts={**probed.problem.facts, "account": account})
        failure = failure_of(problem, account, state.failure if state else None, now, credential)
        snapshots.save_failure(failure, failure.retry_at)
