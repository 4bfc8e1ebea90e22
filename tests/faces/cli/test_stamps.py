"""What a key was shown to work by: told after adding, testing and routing, kept on failure, gone with another key."""

import json
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
from tests.faces.cli.conftest import Cli

from perilune.core.schemas import schema_files
from perilune.gateway import trial
from perilune.gateway.clocks import Clocks
from perilune.sandbox import SandboxThread
from perilune.sandbox.faults import Fault
from perilune.sandbox.keys import KIMI_CN, KIMI_INTL, MOONSHOT_CN

SCHEMA = "account-test.v1"


def told(cli: Cli, account: str = "work", *more: str) -> dict[str, Any]:
    ran = cli("accounts", "test", account, "--json", *more)
    document: dict[str, Any] = json.loads(ran.out)
    file = next(file for name, file in schema_files().items() if name.endswith(SCHEMA))
    jsonschema.validate(document, json.loads(file.read_text()))
    return document


def slot(cli: Cli, account: str = "work") -> dict[str, Any]:
    [route] = json.loads(cli("gateway", "status", "--json").out)["routes"]
    found: dict[str, Any] = next(one for one in route["slots"] if one["account"] == account)
    return found


@pytest.fixture
def work(cli: Cli, sandbox: SandboxThread) -> Path:
    """One account, `work`; the path of the configuration."""
    assert cli("add", "--stdin", "--name", "work", given=KIMI_CN).status == 0
    return Path(cli("config", "path").out.strip())


@pytest.mark.case("gateway PB-01")
def test_adding_a_key_makes_free_reads_alone_and_proves_no_answer(cli: Cli, sandbox: SandboxThread, work: Path) -> None:
    asked = {(entry.method, entry.path) for entry in sandbox.world.journal.select()}
    assert asked <= {("GET", f"/coding/v1/{leaf}") for leaf in ("usages", "models", "me")}
    found = slot(cli)
    assert (found["state"], found["verified_by"]) == ("untested", "catalog")
    assert "key accepted, no answer requested yet" in cli("accounts", "show", "work").out


def test_an_answer_that_was_asked_for_is_a_probe(cli: Cli, work: Path) -> None:
    document = told(cli, "work", "--inference")
    assert (document["ok"], document["verdict"], document["verified_by"]) == (True, "ok", "probe")
    assert document["first_content_ms"] is not None
    assert (slot(cli)["state"], slot(cli)["verified_by"]) == ("ok", "probe")
    assert told(cli)["verified_by"] == "probe"


@pytest.mark.case("gateway PB-14")
def test_the_stamp_stays_on_failure_and_goes_with_another_key(cli: Cli, sandbox: SandboxThread, work: Path) -> None:
    assert told(cli, "work", "--inference")["verified_by"] == "probe"
    sandbox.world.faults.add(Fault(refusal="code-err-403-terminated", method="POST", count=None))
    failed = told(cli, "work", "--inference")
    assert (failed["ok"], failed["verdict"], failed["verified_by"]) == (False, "banned", "probe")
    sandbox.world.faults.clear()
    sandbox.world.faults.add(Fault(status=401, path="*usages"))
    refused = told(cli)
    assert (refused["ok"], refused["verdict"], refused["verified_by"]) == (False, "auth", "probe")
    sandbox.world.faults.clear()
    work.write_text(work.read_text().replace("vault:work", "env:OTHER"))
    other = "sk-kimi-EXAMPLE0other"
    sandbox.world.accounts["kimi-cn"].keys.append(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTHER", other)
        assert slot(cli)["verified_by"] is None
        assert "not yet" in cli("accounts", "show", "work").out
        assert told(cli)["verified_by"] == "catalog"


@pytest.mark.case("gateway PB-15")
def test_the_first_routed_answer_is_the_best_stamp(cli: Cli, work: Path) -> None:
    assert slot(cli)["state"] == "untested"
    assert cli("gateway", "try", "kimi-for-coding").status == 0
    found = slot(cli)
    assert (found["state"], found["verified_by"], found["verified_at"] is not None) == ("ok", "traffic", True)
    assert told(cli, "work", "--inference")["verified_by"] == "traffic"
    assert "answered through a route" in cli("accounts", "show", "work").out


def test_a_stamp_follows_its_account_to_another_name(cli: Cli, work: Path) -> None:
    assert cli("accounts", "rename", "work", "home").status == 0
    assert slot(cli, "home")["verified_by"] == "catalog"
    assert cli("accounts", "remove", "home", "--yes").status == 0
    assert cli("add", "--stdin", "--name", "home", "--plan", "kimi-code", "--region", "cn", "--no-probe",
               given=KIMI_CN).status == 0  # fmt: skip
    assert slot(cli, "home")["verified_by"] is None


@pytest.mark.case("gateway PB-07")
def test_a_key_of_another_plan_is_named_and_goes_nowhere_until_asked(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_KEY", KIMI_INTL)
    file = Path(cli("config", "path").out.strip())
    file.parent.mkdir(parents=True, exist_ok=True)
    account = 'name = "ci"\nplan = "moonshot"\nregion = "intl"\nkey = "env:CI_KEY"\n'
    file.write_text(f"schema = 1\n[[accounts]]\n{account}")
    file.chmod(0o600)
    document = told(cli, "ci")
    assert (document["verdict"], document["code"], document["verified_by"]) == ("auth", "PL-401-HOST", None)
    assert "Kimi Code" in document["message"]
    assert {entry.host for entry in sandbox.world.journal.select()} == {"api.moonshot.ai"}
    moved = cli("accounts", "set", "ci", "--plan", "kimi-code", "--region", "intl", "--yes")
    assert moved.status == 0, moved.err
    assert {entry.host for entry in sandbox.world.journal.select()} == {"api.moonshot.ai", "api.kimi.ai"}
    assert told(cli, "ci")["ok"] is True


@pytest.mark.case("gateway PB-13")
@pytest.mark.parametrize("held", ["headers", "content"])
def test_a_model_that_says_nothing_in_time_is_slow_and_the_key_works(
    cli: Cli, sandbox: SandboxThread, work: Path, monkeypatch: pytest.MonkeyPatch, held: Literal["headers", "content"]
) -> None:
    assert (trial._CLOCKS.first_content_s, trial._CLOCKS.total_s) == (60, 90)
    brief = Clocks(connect_s=5, first_content_s=0.3, answer_s=0.3, idle_s=30, total_s=90, queue_s=30)
    monkeypatch.setattr(trial, "_CLOCKS", brief)
    sandbox.world.faults.add(Fault(hold=held, method="POST", count=None))
    ran = cli("accounts", "test", "work", "--inference", "--json")
    document = json.loads(ran.out)
    assert ran.status == 0, ran.err
    assert (document["ok"], document["verdict"], document["code"]) == (True, "slow", "PL-SLOW-FIRST")
    assert document["warnings"] == ["PL-SLOW-FIRST"]


def test_a_reading_without_money_tells_its_verdict(cli: Cli, sandbox: SandboxThread) -> None:
    assert cli("add", "--stdin", "--name", "lab", given=MOONSHOT_CN).status == 0
    sandbox.world.faults.add(Fault(status=429, path="*balance", headers={"Retry-After": "90"}))
    document = told(cli, "lab")
    assert (document["ok"], document["verdict"], document["http_status"]) == (True, "rate_limited", 429)
    assert document["retry_at"] is not None
