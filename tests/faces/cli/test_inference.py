"""`perilune accounts test --inference` against the played vendors: one real request, and what its end means."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.faces.cli.conftest import Cli, Ran

from perilune.sandbox import SandboxThread
from perilune.sandbox.faults import Fault

KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"
MOONSHOT_CN = "sk-EXAMPLE0sandbox0moonshot0cn000000000000001"
ROUTE = '\n[[gateway.routes]]\nname = "default"\nslots = [{{ account = "work", {slot} }}, {{ account = "lab" }}]\n'
GATED = (
    "! client     the chat/completions route accepts listed coding agents only;\n"
    "             the gateway uses the messages route for everyone else\n"
)


@pytest.fixture
def two(cli: Cli, sandbox: SandboxThread) -> Path:
    """Two accounts, `work` and `lab`; the path of the configuration."""
    assert cli("add", "--stdin", "--name", "work", given=KIMI_CN).status == 0
    assert cli("add", "--stdin", "--name", "lab", given=MOONSHOT_CN).status == 0
    sandbox.world.journal.clear()
    sandbox.world.records_bodies = True
    return Path(cli("config", "path").out.strip())


def _routed(file: Path, slot: str) -> None:
    file.write_text(file.read_text() + ROUTE.format(slot=slot))


def _tested(cli: Cli, sandbox: SandboxThread, account: str, fault: Fault | None = None) -> Ran:
    if fault is not None:
        fault.method, fault.count = "POST", None
        sandbox.world.faults.add(fault)
    return cli("accounts", "test", account, "--inference")


def _sent(sandbox: SandboxThread) -> list[str]:
    return [f"{entry.host}{entry.path}" for entry in sandbox.world.journal.select(method="POST")]


def test_a_real_request_is_announced_and_its_answer_told(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = _tested(cli, sandbox, "work")
    assert ran.status == 0
    key, windows, models, inference, *client = ran.out.splitlines()
    assert key.startswith("✓ key        accepted by api.kimi.com ")
    assert windows.startswith("✓ windows    ")
    assert models.endswith(", kimi-for-coding among them")
    assert inference.startswith("✓ inference  messages route, ")
    assert " tokens, first token after " in inference
    assert "\n".join(client).startswith(GATED)
    assert "One real request follows; it counts against the plan.\n" in ran.err
    assert _sent(sandbox) == ["api.kimi.com/coding/v1/messages"]


def test_without_the_word_nothing_is_spent(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    assert cli("accounts", "test", "work").status == 0
    assert cli("accounts", "test", "lab").status == 0
    assert _sent(sandbox) == []


def test_an_account_without_a_model_of_its_own_is_asked_for_one_it_offers(
    cli: Cli, two: Path, sandbox: SandboxThread
) -> None:
    ran = _tested(cli, sandbox, "lab")
    assert ran.status == 0
    assert "✓ inference  chat route, " in ran.out
    assert "! client" not in ran.out
    assert "it costs a few tokens" in ran.err
    [entry] = sandbox.world.journal.select(method="POST")
    assert json.loads(entry.body or "")["model"] == entry.model != ""


@pytest.mark.case("gateway PB-03")
@pytest.mark.parametrize(
    ("slot", "said", "limit"),
    [
        ('thinking = "high", override = { metadata = { team = "a" } }', {"metadata": {"team": "a"}}, 16),
        ('override = { thinking = { type = "enabled", budget_tokens = 1024 } }', {}, 1088),
    ],
)
def test_the_body_is_the_one_that_routes_send(
    cli: Cli, two: Path, sandbox: SandboxThread, slot: str, said: dict[str, object], limit: int
) -> None:
    _routed(two, f'model = "kimi-for-coding", {slot}')
    assert _tested(cli, sandbox, "work").status == 0
    assert cli("gateway", "try", "kimi-for-coding").status == 0
    tested, routed = (json.loads(entry.body or "") for entry in sandbox.world.journal.select(method="POST"))
    assert _sent(sandbox) == ["api.kimi.com/coding/v1/messages"] * 2
    assert (tested["max_tokens"], tested["stream"]) == (limit, True)
    assert tested.items() >= said.items()
    assert tested["thinking"] == routed["thinking"]
    assert tested.get("output_config") == routed.get("output_config")
    assert {*tested} == {*routed}


@pytest.mark.case("experience F10")
def test_a_gated_client_is_a_remark_about_the_client(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = _tested(cli, sandbox, "work", Fault(refusal="code-err-403-client-not-allowed"))
    assert ran.status == 0
    assert ran.out.startswith("✓ key        accepted by api.kimi.com ")
    assert GATED in ran.out
    assert "inference" not in ran.out


@pytest.mark.case("gateway PB-02")
@pytest.mark.parametrize(
    ("refusal", "code", "status"),
    [("code-err-403-terminated", "PL-403-BANNED", 4), ("code-err-401-no-model-access", "PL-401-MODEL", 1)],
)
def test_a_list_of_models_is_no_proof_of_answers(
    cli: Cli, two: Path, sandbox: SandboxThread, refusal: str, code: str, status: int
) -> None:
    ran = _tested(cli, sandbox, "work", Fault(refusal=refusal, facts={"model": "kimi-for-coding"}))
    assert (ran.status, f"error[{code}]" in ran.err) == (status, True)
    assert "✓ models" in ran.out
    assert "✓ inference" not in ran.out
    assert len(_sent(sandbox)) == 1


@pytest.mark.case("gateway PB-04")
def test_a_rate_limit_is_a_warning_with_the_wait(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    facts = {"account": "org", "limit": 3, "wait": 7}
    ran = _tested(cli, sandbox, "lab", Fault(refusal="dev-err-429-rpm", facts=facts, wait_s=7))
    assert ran.status == 0
    assert "! inference  chat route, throttled now; the key works\n" in ran.out
    assert "warning[PL-429-RATE]: lab reached its rate limit" in ran.err
    assert re.search(r"Next try in\s+[67] s\.", ran.err)
    assert len(_sent(sandbox)) == 1


@pytest.mark.case("gateway PB-05")
def test_a_spent_quota_leaves_the_key_good_and_names_the_time(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = _tested(cli, sandbox, "work", Fault(refusal="code-err-403-5hour"))
    assert ran.status == 5
    assert "! inference  messages route, refused for its quota; the key works\n" in ran.out
    assert "error[PL-QUOTA-5H]: work's 5 h window is spent; it is back at " in ran.err
    [status] = json.loads(cli("status", "work", "--json").out)["accounts"]
    resets_at = next(window["resets_at"] for window in status["windows"] if window["id"] == "5h")
    [route] = json.loads(cli("gateway", "status", "--json").out)["routes"]
    badge = next(slot for slot in route["slots"] if slot["account"] == "work")
    assert badge["state"] == "quota_spent"
    apart = datetime.fromisoformat(badge["until"]) - datetime.fromisoformat(resets_at)
    assert abs(apart) < timedelta(seconds=30), apart


@pytest.mark.case("gateway PB-06")
def test_a_lapsed_plan_and_an_empty_account_are_told_apart(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    lapsed = _tested(cli, sandbox, "work", Fault(host="api.kimi.com", refusal="code-err-402-membership"))
    assert (lapsed.status, "error[PL-402-MEMBER]" in lapsed.err) == (5, True)
    for refusal in ("wild-402-balance", "dev-err-429-balance-suspended"):
        fault = Fault(host="api.moonshot.cn", refusal=refusal, facts={"account": "org"})
        empty = _tested(cli, sandbox, "lab", fault)
        assert (empty.status, "error[PL-BALANCE-EMPTY]" in empty.err, "¥49.59" in empty.err) == (5, True, True)
        sandbox.world.faults.clear()


@pytest.mark.case("gateway PB-08")
@pytest.mark.parametrize(
    ("fault", "code", "status", "words"),
    [
        (Fault(refusal="dev-err-404-model", facts={"model": "x"}), "PL-404-MODEL", 1, "has no model"),
        (Fault(status=404, body="<html>nothing here</html>"), "PL-404-PATH", 2, "The base URL may be wrong."),
        (Fault(refusal="router-404-providers"), "PL-404-ROUTING", 1, "not a problem with the key"),
    ],
)
def test_three_kinds_of_not_found(
    cli: Cli, two: Path, sandbox: SandboxThread, fault: Fault, code: str, status: int, words: str
) -> None:
    ran = _tested(cli, sandbox, "lab", fault)
    assert ran.status == status
    assert f"error[{code}]" in ran.err
    assert words in " ".join(ran.err.split())


@pytest.mark.case("gateway PB-09")
def test_a_mistyped_model_is_found_in_the_list_before_anything_is_spent(
    cli: Cli, two: Path, sandbox: SandboxThread
) -> None:
    _routed(two, 'model = "kimi-for-codng"')
    ran = _tested(cli, sandbox, "work")
    assert ran.status == 1
    assert "error[PL-404-MODEL]: api.kimi.com has no model 'kimi-for-codng' for work." in ran.err
    assert "Closest: kimi-for-coding." in " ".join(ran.err.split())
    assert _sent(sandbox) == []


@pytest.mark.case("gateway PB-11")
def test_a_portal_in_between_is_named(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = _tested(cli, sandbox, "work", Fault(page="captive"))
    assert ran.status == 1
    assert "error[PL-PARSE]: An answer came from api.kimi.com, but not from its API.\n" in ran.err
    assert "A login page of the network, or a proxy, may have answered." in ran.err


def test_a_redirected_request_does_not_take_the_key_along(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = _tested(cli, sandbox, "work", Fault(page="redirect"))
    assert (ran.status, "error[PL-NET-REDIRECT]" in ran.err, len(_sent(sandbox))) == (69, True, 1)


def test_what_was_refused_before_does_not_keep_a_test_from_asking(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    assert _tested(cli, sandbox, "work", Fault(refusal="code-err-403-5hour")).status == 5
    sandbox.world.faults.clear()
    assert _tested(cli, sandbox, "work").status == 0
    assert len(_sent(sandbox)) == 2


@pytest.mark.case("gateway PB-12")
def test_a_new_key_is_cleaned_told_and_tested(cli: Cli, two: Path, sandbox: SandboxThread) -> None:
    ran = cli("accounts", "rotate", "work", "--stdin", given=f'  "Bearer {KIMI_CN}"\n')
    assert ran.status == 0
    assert "removed " in ran.err
    assert "Bearer" in ran.err
    assert "a pair of quotes" in ran.err
    assert [entry.status for entry in sandbox.world.journal.select(path="*usages")] == [200]
    assert _tested(cli, sandbox, "work").status == 0
