"""`perilune add` against the played vendors."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import structs
from tests.faces.cli.conftest import Cli, Ran

from perilune.core.schemas import schema_files
from perilune.sandbox import SandboxThread
from perilune.sandbox.faults import Fault

KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"
KIMI_INTL = "sk-kimi-EXAMPLE0sandbox0intl00000000000000001"
MOONSHOT_CN = "sk-EXAMPLE0sandbox0moonshot0cn000000000000001"
MOONSHOT_INTL = "sk-EXAMPLE0sandbox0moonshot0intl0000000000001"
NOBODYS = "sk-EXAMPLE0nobody0000000000000000000000000001"


_USAGES = {"usages": {"limit_5h": {"used_ratio": 0.15}}}


def _hosts(sandbox: SandboxThread) -> set[str]:
    return {
        entry.host for entry in sandbox.world.journal.select() if "/balance" in entry.path or "usages" in entry.path
    }


def _config(cli: Cli) -> str:
    file = Path(cli("config", "path").out.strip())
    return file.read_text() if file.exists() else ""


def _nothing_leaked(ran: Ran, *secrets: str) -> bool:
    return not any(secret in ran.out + ran.err for secret in secrets)


@pytest.mark.case("experience F1")
def test_a_quoted_key_is_cleaned_tried_and_saved(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", given=f' "{KIMI_CN}"\n')
    assert ran.status == 0
    assert "  api.kimi.com/coding/v1     accepted   " in ran.err
    assert "  api.kimi.ai/coding/v1      refused    401\n" in ran.err
    assert "removed a pair of quotes and 1 line break" in ran.err
    assert ran.out.startswith("✓ Kimi Code · cn (kimi.com) · ")
    assert '\n  Saved as "kimi-code". Next: perilune status | perilune up --open\n' in ran.out
    assert 'region = "cn"' in _config(cli)
    assert _nothing_leaked(ran, KIMI_CN)
    assert KIMI_CN not in _config(cli)


@pytest.mark.case("accounts 10.1")
def test_an_exported_key_says_what_was_removed_and_asks_its_own_hosts_first(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", given=f'  export KIMI_CODE_API_KEY="{KIMI_CN}" ')
    assert ran.status == 0
    assert "removed export KIMI_CODE_API_KEY= and a pair of quotes" in ran.err
    assert "api.kimi.com and\napi.kimi.ai, then api.moonshot.ai and api.moonshot.cn (--plan" in ran.err
    assert _hosts(sandbox) == {"api.kimi.com", "api.kimi.ai"}


@pytest.mark.case("accounts 10.2", "experience F2")
def test_a_key_of_the_other_region_of_its_product_is_found_without_asking_further(
    cli: Cli, sandbox: SandboxThread
) -> None:
    ran = cli("add", "--stdin", given=MOONSHOT_CN)
    assert ran.status == 0
    assert "✓ Moonshot · cn (moonshot.cn) · ¥49.59 available\n" in ran.out
    assert _hosts(sandbox) == {"api.moonshot.ai", "api.moonshot.cn"}
    sandbox.world.journal.clear()
    assert cli("accounts", "test", "moonshot").status == 0
    assert {entry.host for entry in sandbox.world.journal.select()} == {"api.moonshot.cn"}


@pytest.mark.case("accounts 10.4", "experience F3")
def test_a_key_that_every_host_refuses_is_not_saved(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", given=NOBODYS)
    assert ran.status == 4
    assert "error[PL-401-ALL]: No official host accepts this key.\n" in ran.err
    assert len(_hosts(sandbox)) == 4
    assert _config(cli) == ""
    sandbox.world.faults.add(Fault(host="api.moonshot.cn", reset="head", count=None))
    ran = cli("add", "--stdin", given=NOBODYS)
    assert ran.status == 69
    assert "error[PL-ADD-UNSURE]: api.moonshot.cn not reached; the key may still be right\n" in ran.err
    assert _config(cli) == ""


def test_when_nobody_is_reached_the_key_is_not_called_wrong(cli: Cli, sandbox: SandboxThread) -> None:
    sandbox.world.faults.add(Fault(reset="head", count=None))
    ran = cli("add", "--stdin", given=KIMI_CN)
    assert ran.status == 69
    assert "error[PL-NET-REFUSED]" in ran.err
    assert _config(cli) == ""


@pytest.mark.case("accounts 10.3")
def test_a_key_without_the_prefix_can_still_be_of_the_coding_plan(cli: Cli, sandbox: SandboxThread) -> None:
    for host in ("api.moonshot.ai", "api.moonshot.cn", "api.kimi.com"):
        sandbox.world.faults.add(Fault(host=host, path="*", refusal="auth", count=None))
    sandbox.world.faults.add(Fault(host="api.kimi.ai", path="*usages", status=200, body=_USAGES, count=None))
    ran = cli("add", "--stdin", given=NOBODYS)
    assert ran.status == 0
    assert "✓ Kimi Code · intl (kimi.ai) · plan not reported · 5 h 85% left\n" in ran.out


@pytest.mark.case("accounts 10.5")
def test_a_lapsed_membership_is_saved_with_a_warning(cli: Cli, sandbox: SandboxThread) -> None:
    sandbox.world.faults.add(Fault(host="api.kimi.com", status=402, body={"error": {"message": "no plan"}}, count=None))
    ran = cli("add", "--stdin", given=KIMI_CN)
    assert ran.status == 0
    assert "warning[PL-402-MEMBER]" in ran.err
    assert "  api.kimi.com/coding/v1     no plan    402\n" in ran.err
    assert 'region = "cn"' in _config(cli)


@pytest.mark.case("accounts 10.6")
def test_a_throttled_host_is_the_probable_one(cli: Cli, sandbox: SandboxThread) -> None:
    throttled = Fault(host="api.kimi.com", status=429, body={"error": {"message": "slow down"}}, count=None)
    throttled.headers = {"Retry-After": "600"}
    sandbox.world.faults.add(throttled)
    ran = cli("add", "--stdin", given=KIMI_CN)
    assert ran.status == 0
    assert "warning[PL-429-READ]" in ran.err
    assert 'region = "cn"' in _config(cli)


@pytest.mark.case("accounts 10.7")
def test_two_regions_that_accept_need_a_word(cli: Cli, sandbox: SandboxThread) -> None:
    for host in ("api.kimi.com", "api.kimi.ai"):
        sandbox.world.faults.add(Fault(host=host, path="*usages", status=200, body=_USAGES, count=None))
    ran = cli("add", "--stdin", "--no-input", given=KIMI_CN)
    assert ran.status == 2
    assert "error[PL-ADD-AMBIGUOUS]: Two hosts accept this key: api.kimi.com and" in ran.err
    assert _config(cli) == ""


@pytest.mark.case("experience F5")
def test_a_region_narrows_who_sees_the_key(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", "--region", "intl", given=KIMI_CN)
    assert ran.status == 4
    assert _hosts(sandbox) == {"api.kimi.ai", "api.moonshot.ai"}
    assert _config(cli) == ""


@pytest.mark.case("accounts 10.8")
def test_plan_and_region_leave_one_host_and_the_notice_names_it(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", "--plan", "moonshot", "--region", "intl", given=MOONSHOT_INTL)
    assert ran.status == 0
    assert ran.err.startswith("Trying it with one free read-only call, on this host only: api.moonshot.ai\n")
    assert _hosts(sandbox) == {"api.moonshot.ai"}


@pytest.mark.case("accounts 10.9")
def test_no_probe_saves_without_a_request(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", "--no-probe", "--plan", "kimi-code", "--region", "cn", given=NOBODYS)
    assert ran.status == 0
    assert sandbox.world.journal.select() == []
    assert 'plan = "kimi-code"' in _config(cli)


@pytest.mark.case("accounts 10.10")
def test_two_keys_in_one_paste_are_refused(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", given=f"{KIMI_CN}\n{MOONSHOT_CN}\n")
    assert ran.status == 2
    assert "error[PL-ADD-MANY]" in ran.err
    assert sandbox.world.journal.select() == []


@pytest.mark.case("experience F6")
def test_the_same_key_again_writes_nothing(cli: Cli, sandbox: SandboxThread) -> None:
    assert cli("add", "--stdin", "--name", "work", given=KIMI_CN).status == 0
    before = _config(cli)
    sandbox.world.journal.clear()
    ran = cli("add", "--stdin", given=KIMI_CN)
    assert (ran.status, ran.out.splitlines()[0]) == (0, 'already saved as "work"')
    assert _config(cli) == before
    assert sandbox.world.journal.select() == []


@pytest.mark.case("experience F9")
def test_a_key_in_argv_draws_a_warning_and_is_not_shown(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", MOONSHOT_INTL)
    assert ran.status == 0
    assert "warning[PL-ARGV]: A key on the command line is visible to others" in ran.err
    assert _nothing_leaked(ran, MOONSHOT_INTL)


@pytest.mark.parametrize("key", ["sk-a b", "sk-ключ"])
def test_what_cannot_be_a_key_is_refused_unsent(cli: Cli, sandbox: SandboxThread, key: str) -> None:
    ran = cli("add", "--stdin", given=key)
    assert ran.status == 2
    assert "error[PL-401-SHAPE]" in ran.err
    assert sandbox.world.journal.select() == []


def test_a_key_of_another_service_is_not_sent_anywhere(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", given="sk-ant-EXAMPLE0000000000000000")
    assert ran.status == 2
    assert "error[PL-ADD-FOREIGN]" in ran.err
    assert sandbox.world.journal.select() == []


def test_the_policy_of_hosts_holds(cli: Cli, sandbox: SandboxThread) -> None:
    cli("config", "set", "probe.hosts", "api.moonshot.ai")
    assert cli("add", "--stdin", given=KIMI_CN).status == 4
    assert _hosts(sandbox) == {"api.moonshot.ai"}


def test_names_count_up_and_a_taken_one_is_refused(cli: Cli, sandbox: SandboxThread) -> None:
    cli("add", "--stdin", given=MOONSHOT_CN)
    assert 'Saved as "moonshot-2"' in cli("add", "--stdin", given=MOONSHOT_INTL).out
    sandbox.world.journal.clear()
    ran = cli("add", "--stdin", "--name", "moonshot", given=KIMI_CN)
    assert (ran.status, "PL-ACCOUNT-NAME" in ran.err) == (2, True)
    assert sandbox.world.journal.select() == []


def test_json_is_one_document_of_its_schema(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", "--json", given=f"{KIMI_CN}\n")
    document: dict[str, Any] = json.loads(ran.out)
    jsonschema.validate(document, json.loads(schema_files()["add"].read_text()))
    assert document["account"]["key"] == "sk-kimi-…0001"
    assert [probe["verdict"] for probe in document["probes"]] == ["accepted", "refused"]
    assert document["removed"] == ["trailing_line_break"]
    assert document["sandbox"] is True


def test_keys_of_the_environment_are_saved_as_references(
    cli: Cli, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", MOONSHOT_CN)
    ran = cli("add", "--from", "env")
    assert ran.status == 0
    assert 'key = "env:MOONSHOT_API_KEY"' in _config(cli)
    assert 'region = "cn"' in _config(cli)
    assert "NAME" in cli("accounts", "list").out
    assert cli("accounts", "list").out.count("moonshot") == 2


def test_a_failed_add_with_json_is_a_document_too(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("add", "--stdin", "--json", given=NOBODYS)
    document = json.loads(ran.out)
    jsonschema.validate(document, json.loads(schema_files()["error"].read_text()))
    assert document["error"]["code"] == "PL-401-ALL"
    assert ran.status == 4


@pytest.mark.parametrize(
    ("key", "name", "title"), [(KIMI_CN, "kimi-code", "Allegretto"), (MOONSHOT_CN, "moonshot", None)]
)
def test_the_next_status_shows_what_the_accepting_host_answered_without_asking_again(
    cli: Cli, sandbox: SandboxThread, key: str, name: str, title: str | None
) -> None:
    assert cli("add", "--stdin", given=key).status == 0
    sandbox.world.journal.clear()
    [shown] = json.loads(cli("status", "--json").out)["accounts"]
    assert (shown["name"], shown["plan_title"], shown["error"]) == (name, title, None)
    assert shown["fetched_at"] is not None
    assert shown["effective"]["usable"] is True
    assert "not read yet" not in cli("accounts", "show", name).out
    assert sandbox.world.journal.select() == []


@pytest.mark.case("accounts 10.6")
def test_a_throttled_host_is_left_alone_as_long_as_it_asked(cli: Cli, sandbox: SandboxThread) -> None:
    throttled = Fault(host="api.kimi.com", status=429, body={"error": {"message": "slow down"}}, count=None)
    throttled.headers = {"Retry-After": "600"}
    sandbox.world.faults.add(throttled)
    assert cli("add", "--stdin", given=KIMI_CN).status == 0
    sandbox.world.journal.clear()
    [shown] = json.loads(cli("status", "--json", "--refresh").out)["accounts"]
    assert (shown["error"]["code"], shown["error"]["retry_at"] is not None) == ("PL-429-READ", True)
    assert sandbox.world.journal.select() == []


@pytest.mark.parametrize("fault", [Fault(reset="head"), Fault(status=503, body="down")])
def test_every_way_of_not_reaching_a_host_says_what_it_does_not_mean(
    cli: Cli, sandbox: SandboxThread, fault: Fault
) -> None:
    sandbox.world.faults.add(structs.replace(fault, count=None))
    ran = cli("add", "--stdin", "--plan", "moonshot", "--region", "cn", given=NOBODYS)
    assert ran.status == 69
    assert "  note   not reached is not a wrong key; nothing was saved\n" in ran.err


@pytest.mark.case("experience F4")
def test_silent_hosts_end_the_detection_in_time_and_say_nothing_about_the_key(cli: Cli, sandbox: SandboxThread) -> None:
    sandbox.world.faults.add(Fault(hold="headers", count=None))
    ran = cli("add", "--stdin", given=KIMI_CN)
    assert ran.status == 69
    assert "error[PL-NET-TIMEOUT]: api.kimi.com cannot be reached from here (timeout 5 s).\n" in ran.err
    assert "not reached is not a wrong key" in ran.err
    assert len({entry.host for entry in sandbox.world.journal.select()}) == 4
    assert _config(cli) == ""
