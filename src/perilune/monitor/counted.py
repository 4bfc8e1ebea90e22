"""A collector that counts how its reads went."""

from collections import Counter
from datetime import timedelta

from msgspec import Struct, field

from perilune.monitor.collect import Collected, Collector
from perilune.monitor.target import Target


class ReadCounts(Struct):
    """Reads that asked a vendor, by account, and the failed ones by code too, since this process began."""

    reads: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)


class CountedCollector(Collector):
    """The collector with a `counts`, which is there before the first read."""

    counts: ReadCounts

    def counting(self, counts: ReadCounts) -> "CountedCollector":
        """Count here from now on."""
        self.counts = counts
        return self

    async def collect(
        self,
        target: Target,
        *,
        is_forced: bool = False,
        with_profile: bool = False,
        rest: timedelta = timedelta(0),
        interval: timedelta | None = None,
        lent: timedelta = timedelta(0),
    ) -> Collected:
        """As the collector it is."""
        collected = await super().collect(
            target, is_forced=is_forced, with_profile=with_profile, rest=rest, interval=interval, lent=lent
        )
        if collected.outcome in ("read", "failed"):
            self.counts.reads[target.name] += 1
        if collected.outcome == "failed" and collected.problem is not None:
            self.counts.failures[target.name, collected.problem.code] += 1
        return collected
