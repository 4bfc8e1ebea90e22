"""The metric families and what is shipped beside them: every name that a rule or a panel asks for is there."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from perilune.faces.metrics.exposition import PREFIX, all_families

SHIPPED = Path(__file__).parents[3] / "docs" / "metrics"
ALLOWED = (
    r"account|plan|region|window|unit|route|surface|outcome|code|kind|currency|severity|state|channel|version|python"
    r"|reason|rule|where|priority"
)


def test_names_and_labels_keep_the_rules() -> None:
    families = all_families()
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert re.fullmatch(r"[a-z][a-z0-9_]+", family.name)
        assert (family.kind == "counter") == family.name.endswith("_total")
        assert family.help.endswith(".")
        assert all(re.fullmatch(ALLOWED, label) for label in family.labels), family.name


@pytest.mark.parametrize("file", ["alerts.yml", "grafana.json"])
def test_what_is_shipped_asks_for_metrics_that_are_there(file: str) -> None:
    known = {PREFIX + family.name for family in all_families()}
    asked = set(re.findall(rf"{PREFIX}[a-z_]+", (SHIPPED / file).read_text()))
    assert {name.removesuffix("_bucket") for name in asked} <= known
    assert asked


def test_the_rules_are_those_that_are_promised() -> None:
    names = re.findall(r"alert: (\w+)", (SHIPPED / "alerts.yml").read_text())
    assert names == [
        "PeriluneWindowHigh",
        "PeriluneWindowSpent",
        "PeriluneBalanceLow",
        "PeriluneCredentialRefused",
        "PeriluneStale",
    ]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_promtool_accepts_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(SHIPPED / "alerts.yml")], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_the_dashboard_is_one_that_grafana_loads() -> None:
    dashboard = json.loads((SHIPPED / "grafana.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["targets"] for panel in dashboard["panels"])
