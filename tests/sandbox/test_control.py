"""The control surface over HTTP."""

from datetime import datetime

from tests.sandbox.plain_client import Ask

from perilune.sandbox import SandboxThread, keys, scenario_names

USAGES = "/api.kimi.com/coding/v1/usages"


def test_state_shows_and_changes_accounts_switches_and_script(ask: Ask) -> None:
    changes = {
        "accounts": {"kimi-cn": {"windows": {"5h": {"used": 200}}}, "extra": {"plan": "moonshot", "keys": ["sk-x"]}},
        "behaviour": {"gate": "off"},
        "script": {"text": "OK"},
    }
    state = ask("/_sandbox/state", body=changes).json
    assert state["accounts"]["kimi-cn"]["windows"]["5h"]["used"] == "200"
    assert (state["behaviour"]["gate"], state["script"]["text"]) == ("off", "OK")
    assert ask("/_sandbox/state").json["traffic"]["kimi-cn"]["in_flight"] == 0
    assert ask("/v1/users/me/balance", key="sk-x").status == 200
    told = ask(USAGES, key=keys.KIMI_CN).json
    assert told["usages"]["limit_5h"]["used_ratio"] == 1


def test_the_clock_is_set_moved_and_frozen(ask: Ask) -> None:
    moved = {"set": "2026-11-20T12:00:00Z", "is_frozen": True, "advance_s": 90}
    assert ask("/_sandbox/clock", body=moved).json == {"now": "2026-11-20T12:01:30Z", "is_frozen": True}
    assert ask(USAGES, key=keys.KIMI_CN).headers["date"] == "Fri, 20 Nov 2026 12:01:30 GMT"
    running = ask("/_sandbox/clock", body={"is_frozen": False}).json
    assert datetime.fromisoformat(running["now"]).year == 2026


def test_a_scenario_is_started_by_name_or_handed_over(ask: Ask) -> None:
    assert ask("/_sandbox/scenario").json == {"scenario": "pong", "known": scenario_names()}
    assert ask("/_sandbox/scenario", body={"name": "membership-lapsed"}).status == 200
    assert ask(USAGES, key=keys.KIMI_CN).status == 402
    own = {"title": "mine", "accounts": {"a": {"plan": "kimi-code", "keys": ["sk-kimi-a"]}}}
    assert ask("/_sandbox/scenario", body={"scenario": own}).json["scenario"] == "mine"
    assert ask(USAGES, key="sk-kimi-a").status == 200
    assert ask("/_sandbox/scenario", body={"name": "nothing"}).status == 400


def test_requests_are_listed_without_secrets_and_forgotten(ask: Ask) -> None:
    ask(USAGES, key=keys.KIMI_CN, X_Api_Key="sk-secret", Cookie="kimi-auth=eyJsecret", User_Agent="me")
    listed = ask("/_sandbox/requests")
    entry = listed.json["requests"][0]
    assert (entry["key"], entry["host"], entry["path"]) == ("kimi-cn", "api.kimi.com", "/coding/v1/usages")
    assert (entry["headers"]["user-agent"], entry["status"], entry["body"]) == ("me", 200, None)
    assert listed.json["by_path"] == {"/coding/v1/usages": 1}
    for secret in (keys.KIMI_CN, "sk-secret", "eyJsecret"):
        assert secret.encode() not in listed.raw
    assert ask("/_sandbox/requests", method="DELETE").json["requests"] == []


def test_faults_are_queued_listed_and_dropped(ask: Ask) -> None:
    faults = [{"refusal": "code-err-429-overloaded", "count": 2}, {"status": 500}]
    assert ask("/_sandbox/faults", body=faults).json["faults"] == [faults[0], {"status": 500}]
    assert ask(USAGES, key=keys.KIMI_CN).status == 429
    assert ask("/_sandbox/faults", method="DELETE").json == {"faults": []}
    assert ask(USAGES, key=keys.KIMI_CN).status == 200


def test_held_answers_are_released(sandbox: SandboxThread, ask: Ask) -> None:
    assert ask("/_sandbox/release", body={"count": 1}).json == {"held": 0}


def test_what_does_not_fit_is_400_and_changes_nothing(ask: Ask) -> None:
    for part, body in (
        ("state", {"accounts": {"kimi-cn": {"colour": 1}}}),
        ("state", {"accounts": {"nobody": {}}}),
        ("state", {"weather": 1}),
        ("clock", {"advance": 1}),
        ("faults", {"refusal": 1}),
        ("faults", "{"),
        ("logins", {"approve": "NONE"}),
    ):
        assert ask(f"/_sandbox/{part}", body=body).status == 400
    assert ask("/_sandbox/nothing").status == 404
    assert ask(USAGES, key=keys.KIMI_CN).status == 200


def test_a_body_is_kept_only_when_the_scenario_says_so(sandbox: SandboxThread, ask: Ask) -> None:
    body = {"model": "k3", "messages": []}
    ask("/coding/v1/messages", key=keys.KIMI_CN, body=body)
    sandbox.world.records_bodies = True
    ask("/coding/v1/messages", key=keys.KIMI_CN, body=body)
    assert [entry.body for entry in sandbox.world.requests()] == [None, '{"model": "k3", "messages": []}']
