"""Device logins as played."""

import pytest
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import SandboxThread

HOST = "/auth.kimi.com/api/oauth"
CLIENT = "client_id=17e5f671-d194-4dfb-9706-5516cb48c098"
DEVICE = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"


@pytest.fixture
def begun(sandbox: SandboxThread, ask: Ask) -> Answer:
    """A login under way that nobody approves by itself."""
    sandbox.world.load({"extends": "pong", "login": {"auto_approve_after": 1_000, "enforces_interval": False}})
    sandbox.world.freeze()
    return ask(f"{HOST}/device_authorization", body=CLIENT)


def poll(ask: Ask, begun: Answer) -> Answer:
    return ask(f"{HOST}/token", body=f"{CLIENT}&device_code={begun.json['device_code']}&{DEVICE}")


def test_a_login_waits_until_it_is_approved(sandbox: SandboxThread, ask: Ask, begun: Answer) -> None:
    assert poll(ask, begun).json["error"] == "authorization_pending"
    ask("/_sandbox/logins", body={"approve": begun.json["user_code"]})
    token = poll(ask, begun).json
    assert set(token) == {"access_token", "refresh_token", "expires_in", "scope", "token_type"}
    assert ask("/api.kimi.com/coding/v1/usages", key=token["access_token"]).status == 200
    assert sandbox.world.requests()[-1].key == "kimi-cn-login"
    assert poll(ask, begun).json["error"] == "invalid_grant"


def test_a_login_can_be_denied_or_expire(sandbox: SandboxThread, ask: Ask, begun: Answer) -> None:
    second = ask(f"{HOST}/device_authorization", body=CLIENT)
    ask("/_sandbox/logins", body={"deny": begun.json["user_code"]})
    assert poll(ask, begun).json["error"] == "access_denied"
    sandbox.world.advance(1_801)
    assert poll(ask, second).json["error"] == "expired_token"


def test_polling_too_fast_is_slowed_down(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.load({"extends": "pong", "login": {"auto_approve_after": 2}})
    sandbox.world.freeze()
    begun = ask(f"{HOST}/device_authorization", body=CLIENT)
    words = [poll(ask, begun).json["error"] for _ in range(2)]
    sandbox.world.advance(10)
    assert words == ["authorization_pending", "slow_down"]
    assert poll(ask, begun).status == 200


def test_a_refresh_token_rotates_and_an_access_token_ends(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.freeze()
    first = sandbox.world.logins.issue("kimi-cn", sandbox.world.now())
    sandbox.world.advance(901)
    assert ask("/api.kimi.com/coding/v1/usages", key=first.access).status == 401
    form = f"{CLIENT}&grant_type=refresh_token&refresh_token="
    second = ask(f"{HOST}/token", body=form + first.refresh).json
    assert second["refresh_token"] != first.refresh
    assert ask(f"{HOST}/token", body=form + first.refresh).json["error"] == "invalid_grant"
    assert ask("/api.kimi.com/coding/v1/usages", key=second["access_token"]).status == 200
    assert ask("/api.kimi.ai/coding/v1/usages", key=second["access_token"]).status == 401


def test_a_request_without_client_or_grant_is_refused(ask: Ask) -> None:
    assert ask(f"{HOST}/device_authorization", body="x=1").json["error"] == "invalid_client"
    assert ask(f"{HOST}/token", body="grant_type=password").json["error"] == "unsupported_grant_type"
