"""The exposition: every family that has a sample, in Prometheus' text format."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from perilune.faces.metrics import families
from perilune.faces.metrics.family import Facts, Family
from perilune.gateway.spread import Spread

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "perilune_"


def exposition(facts: Facts) -> bytes:
    """All samples as text. A value that is not known has no sample; a family without one is left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(facts))
    return generate_latest(registry)


def all_families() -> list[Family]:
    """Every family, by file and then as written there."""
    names = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    return [family for name in names for family in import_module(f"{families.__name__}.{name}").FAMILIES]


class _Told(Collector):
    """The facts as the library wants them."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        for family in all_families():
            samples = list(family.samples(self._facts))
            if samples:
                yield _metric(family, samples)

    def describe(self) -> list[Metric]:
        return []


def _metric(family: Family, samples: list[tuple[tuple[str, ...], float | Spread]]) -> Metric:
    name = PREFIX + family.name
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(name, family.help, labels=family.labels)
        for labels, value in samples:
            if isinstance(value, Spread):
                histogram.add_metric(labels, _buckets(value), value.total)
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric: CounterMetricFamily | GaugeMetricFamily = kind(name, family.help, labels=family.labels)
    for labels, value in samples:
        if not isinstance(value, Spread):
            metric.add_metric(labels, value)
    return metric


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    bounds = [*(f"{bound:g}" for bound in spread.bounds), "+Inf"]
    return list(zip(bounds, accumulate(spread.counts), strict=True))
