"""Every field of every sample removed, renamed and of another type: what is lost is named, what is left is right."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.providers.test_mutated_samples import SAMPLES, changed, figures, figures_of_parts, paths, read, read_or_code
from tests.support.samples import body_of

from perilune.quota.drift import Drift, drift_of, gained, lost_windows
from perilune.quota.snapshot import Snapshot

RETYPED: list[Any] = [{"a": 1}, ["x"], "abc", True]


def shown(snapshot: Snapshot) -> dict[str, Any]:
    """What people are shown, without the readings behind it."""
    document: dict[str, Any] = msgspec.to_builtins(snapshot)
    for name in ("drift", "unknown_fields", "loose_parts"):
        document.pop(name, None)
    for window in document.get("windows", ()):
        window.pop("readings", None)
        window.pop("has_conflict", None)
    return document


def renamed(body: Any, path: tuple[Any, ...], name: str) -> Any:
    place = changed(body, path, None, is_removed=True)
    inner, outer = body, place
    for key in path[:-1]:
        inner, outer = inner[key], outer[key]
    outer[name] = inner[path[-1]]
    return place


def fields(name: str) -> Iterator[tuple[Any, ...]]:
    """The fields by their paths; positions in lists are not fields, and below what is not looked at none is known."""
    found = (path for path in paths(body_of(name)) if isinstance(path[-1], str))
    yield from (path for path in found if "rate_limit" not in path[:-1])


@pytest.mark.parametrize(("plan_id", "name"), SAMPLES)
def test_a_renamed_field_is_named_and_gives_no_other_figure(plan_id: str, name: str) -> None:
    body, allowed = body_of(name), figures_of_parts(plan_id, body_of(name))
    for path in fields(name):
        new = f"{path[-1]}_x"
        told = read_or_code(plan_id, renamed(body, path, new))
        if isinstance(told, str):
            assert told in ("PL-PARSE", "PL-VENDOR"), path
            continue
        assert figures(told) <= allowed, path
        is_window = new.removeprefix("limit_").replace("_", "-") in {window.id for window in told.windows}
        assert is_window or any(new in one for one in drift_of(told).names), path


@pytest.mark.parametrize(("plan_id", "name"), SAMPLES)
def test_a_field_of_another_type_loses_itself_and_is_named(plan_id: str, name: str) -> None:
    body, whole = body_of(name), read(plan_id, body_of(name))
    allowed = figures_of_parts(plan_id, body)
    for path in fields(name):
        for value in (value for value in RETYPED if path[-1] != "level" or not isinstance(value, str)):
            told = read_or_code(plan_id, changed(body, path, value, is_removed=False))
            if isinstance(told, str):
                assert told in ("PL-PARSE", "PL-VENDOR"), (path, value)
                continue
            assert figures(told) <= allowed, (path, value)
            if shown(told) != shown(whole):
                assert gained(whole, told), (path, value)


@pytest.mark.parametrize(("plan_id", "name"), SAMPLES)
def test_a_field_that_is_gone_leaves_the_others_as_they_were(plan_id: str, name: str) -> None:
    body = body_of(name)
    whole, allowed = read(plan_id, body), figures_of_parts(plan_id, body)
    for path in fields(name):
        told = read_or_code(plan_id, changed(body, path, None, is_removed=True))
        if isinstance(told, str):
            assert told in ("PL-PARSE", "PL-VENDOR"), path
            continue
        assert figures(told) <= allowed, path
        assert {window.id for window in told.windows} <= {*(window.id for window in whole.windows), "limit-1"}, path


def test_a_window_nobody_has_heard_of_appears_under_its_own_name() -> None:
    body = body_of("code-usages-quota-model")
    body["usages"]["limit_3h"] = {"used_ratio": 0.42, "reset_time": "2026-11-20T14:00:00Z"}
    body["usages"]["limit_weekend"] = {"used_ratio": 0.1}
    found = {window.id: window for window in read("kimi-code", body).windows}
    assert (found["3h"].span_s, str(found["3h"].used_ratio)) == (10_800, "0.42")
    assert (found["weekend"].span_s, str(found["weekend"].used_ratio)) == (None, "0.1")
    assert next(iter(found)) == "3h"
    assert drift_of(read("kimi-code", body)) == Drift()


def test_names_of_unknown_fields_are_kept_by_their_path_and_never_values() -> None:
    body = body_of("code-usages-legacy")
    body["usage"]["burst"] = {"secret": "never-shown"}
    body["limits"][0]["detail"]["colour"] = "never-shown"
    body["novelty"] = ["never-shown"]
    told = drift_of(read("kimi-code", body))
    assert told == Drift((), ("usage.burst", "limits[].detail.colour", "novelty"))
    assert "never-shown" not in repr(told)


def test_a_field_of_a_window_that_was_read_is_not_a_lost_window() -> None:
    assert lost_windows(("usage", "limits[1]", "usages.limit_5h")) == 3
    assert lost_windows(("usage.used", "limits[1].resetTime", "usages.limit_5h.reset_time", "boosterWallet")) == 0


def test_the_webs_absent_ratio_is_zero_only_where_nothing_stands_in_its_place() -> None:
    from tests.support.samples import NOW

    from perilune.providers.kimi_code import web

    body = body_of("web-getsubscriptionstats-ok")
    whole = web.of_stats(body, NOW, "CNY")
    assert whole.found.drift == []
    allowed = {reading.used_ratio for reading in whole.found.readings}
    for path in fields("web-getsubscriptionstats-ok"):
        for told in (
            web.of_stats(renamed(body, path, f"{path[-1]}_x"), NOW, "CNY"),
            *(web.of_stats(changed(body, path, value, is_removed=False), NOW, "CNY") for value in RETYPED),
        ):
            assert {reading.used_ratio for reading in told.found.readings} <= allowed, path
    novel = renamed(body, ("ratelimitCode7d", "ratio"), "share")
    told = web.of_stats(novel, NOW, "CNY")
    assert [reading.window for reading in told.found.readings if reading.window == "7d"] == []
    assert told.found.drift == ["web-stats.7d"]
