"""The vendor CLI's login: which file counts, when it is used, and that nothing of it is disturbed."""

import hashlib
import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.samples import NOW

from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.net.control import ControlClient
from perilune.providers.contract.registry import plan
from perilune.providers.contract.sources import Surroundings, login_reader
from perilune.providers.kimi_code import read
from perilune.providers.kimi_code.login import bind_login
from perilune.sandbox import SandboxThread

PLAN = plan("kimi-code")
assert PLAN is not None
UPSTREAM = "http://127.0.0.1:9009"


class Home:
    """A home folder with what the vendor's command lines keep in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self.upstream: str | None = None

    def login(self, slot: str = "kimi-code", program: str = ".kimi-code", **fields: Any) -> Path:
        file = self.folder / program / "credentials" / f"{slot}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = {"access_token": "oauth", "refresh_token": "never", "expires_at": NOW.timestamp() + 3600} | fields
        kept = {name: value for name, value in whole.items() if value is not None}
        file.write_text(json.dumps(kept), encoding="utf-8")
        return file

    def config(self, text: str) -> None:
        (self.folder / ".kimi-code").mkdir(exist_ok=True)
        (self.folder / ".kimi-code" / "config.toml").write_text(
            f'[providers."managed:kimi-code"]\n{text}', encoding="utf-8"
        )

    def bind(self, region: str = "cn", now: datetime = NOW) -> Any:
        assert PLAN is not None
        place = PLAN.region(region)
        assert place is not None
        around = Surroundings(
            environment=self.environment, home=self.folder, now=now, upstream=self.upstream, salt=b"salt"
        )
        return bind_login("work", PLAN, place, around)

    def refused(self, region: str = "cn") -> PeriluneError:
        with pytest.raises(PeriluneError) as caught:
            self.bind(region)
        return caught.value


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def state_of(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.case("accounts 2.1")
@pytest.mark.parametrize("write", [float, int, str])
async def test_a_fresh_login_reads_the_account_and_is_left_as_it_was(
    home: Home, sandbox: SandboxThread, write: Any
) -> None:
    token = sandbox.world.logins.issue("kimi-cn", sandbox.world.now())
    home.login(access_token=token.access, expires_at=write(NOW.timestamp() + 3600))
    before = state_of(home.folder)
    bound = home.bind()
    async with ControlClient(upstream=sandbox.url) as client:
        snapshot = await read.read(bound, client, NOW)
    [seen] = sandbox.world.journal.select(path="*")
    assert (snapshot.source, {window.id for window in snapshot.windows}) == ("cli-login", {"5h", "7d", "month"})
    assert bound.bound.secret.reveal() == token.access
    assert "authorization" in seen.headers
    assert not [name for name in seen.headers if name.startswith("x-msh")]
    assert state_of(home.folder) == before


@pytest.mark.case("accounts 2.2")
@pytest.mark.parametrize("expires_at", [NOW.timestamp() + 30, None, "not-a-time", math.nan, "NaN", NOW.timestamp() - 9])
def test_a_login_without_time_left_is_there_but_not_used(home: Home, expires_at: Any) -> None:
    home.login(expires_at=expires_at)
    before = state_of(home.folder)
    assert home.refused().problem.code == "PL-LOGIN-EXPIRED"
    assert state_of(home.folder) == before


def test_an_expired_login_says_since_when_and_what_helps(home: Home) -> None:
    home.login(expires_at=(NOW - timedelta(minutes=47)).timestamp())
    problem = home.refused().problem
    english, chinese = (Voice(language=language, now=NOW).explain(problem) for language in ("en", "zh-CN"))
    assert english.what == "The Kimi CLI login expired 47m ago."
    assert english.fix == ("run kimi once", "use an API key: perilune add")
    assert chinese.what == "Kimi CLI 登录已于 47 分钟前过期"


@pytest.mark.case("accounts 2.3")
@pytest.mark.parametrize("name", ["KIMI_CODE_BASE_URL", "KIMI_CODE_OAUTH_HOST", "KIMI_OAUTH_HOST"])
def test_an_overridden_address_switches_the_login_off(home: Home, name: str) -> None:
    home.login()
    home.environment[name] = "https://proxy.example.com/coding/v1"
    assert home.refused().problem.code == "PL-LOGIN-FOREIGN"
    home.environment[name] = "https://api.kimi.com/coding/v1"
    assert home.bind().secret.reveal() == "oauth"


@pytest.mark.case("accounts 2.4")
def test_the_configuration_names_the_region_and_the_slot(home: Home) -> None:
    home.config('base_url = "https://api.kimi.ai/coding/v1"\noauth = { oauth_host = "https://auth.kimi.ai" }\n')
    home.login("kimi-code-env-0e4f99c69cc27850")
    bound = home.bind("intl")
    assert (bound.region.id, bound.host) == ("intl", "api.kimi.ai")
    assert home.refused("cn").problem.code == "PL-401-HOST"


@pytest.mark.case("accounts 2.5")
def test_the_region_file_counts_unless_it_is_switched_off(home: Home) -> None:
    home.login()
    home.login("kimi-code-env-0e4f99c69cc27850", access_token="intl")
    (home.folder / ".kimi-code" / "region").write_text("global\n", encoding="utf-8")
    assert home.bind("intl").secret.reveal() == "intl"
    home.environment["KIMI_CODE_REGION_MARKER"] = "off"
    assert home.bind("cn").secret.reveal() == "oauth"


@pytest.mark.case("accounts 2.6")
@pytest.mark.parametrize("key", ["oauth/../../secret", "oauth/.hidden", "oauth/a/b", "../x", "oauth/"])
def test_a_slot_never_leaves_its_folder(home: Home, key: str) -> None:
    home.login("../../secret")
    home.config(f'oauth = {{ storage = "file", key = "{key}" }}\n')
    assert home.refused().problem.code == "PL-LOGIN-FOREIGN"


@pytest.mark.case("accounts 2.7")
@pytest.mark.parametrize(
    "text",
    [
        'base_url = "https://untrusted.example/coding/v1"',
        'base_url = "http://api.kimi.com/coding/v1"',
        'base_url = "https://user@api.kimi.com/coding/v1"',
        'base_url = "https://api.kimi.com/coding/v1"\noauth = { oauth_host = "https://auth.kimi.ai" }',
        'oauth = { key = "oauth/kimi-code-env-0000000000000000" }',
    ],
)
def test_a_login_of_a_stranger_is_not_used(home: Home, text: str) -> None:
    home.login()
    home.login("kimi-code-env-0000000000000000")
    home.config(text + "\n")
    assert home.refused().problem.code == "PL-LOGIN-FOREIGN"


@pytest.mark.case("accounts 2.8")
def test_the_older_programs_login_serves_too(home: Home) -> None:
    home.login(program=".kimi")
    assert (home.bind().region.id, home.bind().source) == ("cn", "cli-login")
    assert home.refused("intl").problem.code == "PL-401-HOST"


def test_of_two_programs_the_one_with_a_valid_login_counts(home: Home) -> None:
    home.login(program=".kimi", access_token="older")
    home.login(access_token="newer")
    assert home.bind().secret.reveal() == "newer"
    home.login(expires_at=0)
    assert home.bind().secret.reveal() == "older"


@pytest.mark.case("accounts 2.10")
def test_a_login_made_against_a_stand_in_is_of_the_region_it_stands_for(home: Home) -> None:
    pair = {"oauthHost": f"{UPSTREAM}/auth.kimi.com", "baseUrl": f"{UPSTREAM}/api.kimi.com/coding/v1"}
    digest = hashlib.sha256(json.dumps(pair, separators=(",", ":")).encode()).hexdigest()[:16]
    home.config(f'base_url = "{pair["baseUrl"]}"\noauth = {{ oauth_host = "{pair["oauthHost"]}" }}\n')
    home.login(f"kimi-code-env-{digest}")
    assert home.refused().problem.code == "PL-LOGIN-FOREIGN"
    home.upstream = UPSTREAM
    assert home.bind().region.id == "cn"


def test_a_login_in_the_keyring_is_not_read(home: Home) -> None:
    home.login()
    home.config('oauth = { storage = "keyring", key = "oauth/kimi-code" }\n')
    assert home.refused().problem.code == "PL-LOGIN-KEYRING"


@pytest.mark.parametrize("content", ["not json", "[]", "{" * 70_000, '{"access_token": "' + "x" * 70_000 + '"}'])
def test_a_file_that_is_no_login_is_named_unreadable(home: Home, content: str) -> None:
    home.login().write_text(content, encoding="utf-8")
    assert home.refused().problem.code == "PL-LOGIN-UNREADABLE"


def test_no_login_is_said_with_the_file_that_was_looked_for(home: Home) -> None:
    problem = home.refused().problem
    assert problem.code == "PL-LOGIN-NONE"
    assert str(problem.facts["file"]).endswith(".kimi-code/credentials/kimi-code.json")


def test_an_unreadable_configuration_counts_as_none(home: Home) -> None:
    home.login()
    (home.folder / ".kimi-code" / "config.toml").write_text("[[[", encoding="utf-8")
    assert home.bind().region.id == "cn"


def test_a_token_is_not_shown(home: Home) -> None:
    home.login(access_token="oauth-EXAMPLE-token")
    assert "EXAMPLE" not in repr(home.bind())


def test_the_port_finds_the_reader_of_logins() -> None:
    assert login_reader("kimi-code") is not None
    assert login_reader("moonshot") is None
