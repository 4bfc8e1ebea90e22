"""Sessions that are kept on the machine: which are candidates, in which order, and what is said when there is none."""

import json
from base64 import urlsafe_b64encode
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.browsers.stores import batch, chromium_cookies, encrypted, firefox_cookie, firefox_cookies, log
from tests.support.samples import NOW

from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.providers.contract.registry import plan
from perilune.providers.contract.sources import Surroundings, session_reader
from perilune.providers.kimi_code.stored_session import stored_sessions

PLAN = plan("kimi-code")
assert PLAN is not None
LATE = 4_102_444_800


def jwt(**claims: Any) -> str:
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "HS512"}, claims)]
    return ".".join([*parts, "EXAMPLE"])


class Machine:
    """A home with browsers in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.opened: list[str] = []

    def chromium(self, place: str, *tokens: str, host: str = ".kimi.com", accessed: int = 1) -> Path:
        folder = self.home / ".config" / place
        folder.mkdir(parents=True, exist_ok=True)
        rows = [(host, "kimi-auth", token, b"", 0, accessed + number) for number, token in enumerate(tokens)]
        chromium_cookies(folder, rows)
        return folder

    def storage(self, folder: Path, token: str, origin: str = "https://www.kimi.com") -> None:
        place = folder / "Local Storage" / "leveldb"
        place.mkdir(parents=True)
        key = b"_" + origin.encode() + b"\x00\x01access_token"
        (place / "000003.log").write_bytes(log([batch([(1, key, b"\x01" + token.encode())])]))

    def firefox(self) -> Path:
        root = self.home / ".mozilla" / "firefox"
        (root / "a.default").mkdir(parents=True)
        (root / "profiles.ini").write_text("[Profile0]\nName=default\nIsRelative=1\nPath=a.default\n")
        return root / "a.default"

    def found(self, region: str = "cn", browser: str | None = None) -> list[tuple[str, str]]:
        assert PLAN is not None
        place = PLAN.region(region)
        assert place is not None
        around = Surroundings(environment={}, home=self.home, now=NOW, salt=b"salt")
        sessions = stored_sessions("work", PLAN, place, around, browser)
        return [(value.browser, session.token.reveal()) for value, session in sessions]

    def refused(self, region: str = "cn", browser: str | None = None) -> PeriluneError:
        with pytest.raises(PeriluneError) as caught:
            self.found(region, browser)
        return caught.value


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.case("accounts 9.12")
def test_in_a_profile_the_latest_expiry_comes_first_and_opaque_ones_by_their_newest_use(machine: Machine) -> None:
    short, long = jwt(exp=LATE, sub="a"), jwt(exp=LATE + 9, sub="b")
    folder = machine.home / ".config" / "chromium" / "Default"
    rows = [
        ("www.kimi.com", "kimi-auth", short, b"", 0, 99),
        (".kimi.com", "kimi-auth", long, b"", 0, 1),
        ("kimi.com", "kimi-auth", "opaque-old", b"", 0, 2),
        (".www.kimi.com", "kimi-auth", "opaque-new", b"", 0, 3),
    ]
    chromium_cookies(folder, rows)
    assert [token for _, token in machine.found()] == [long, short, "opaque-new", "opaque-old"]


@pytest.mark.case("accounts 9.14")
def test_a_session_of_the_other_region_is_no_candidate(machine: Machine) -> None:
    token = jwt(exp=LATE, iss="https://www.kimi.ai")
    machine.chromium("chromium/Default", token, host=".kimi.ai")
    assert machine.refused("cn").problem.code == "PL-COOKIE-NONE"
    assert machine.found("intl") == [("Chromium", token)]
    machine.chromium("google-chrome/Default", token, host=".kimi.com")
    assert machine.refused("cn").problem.code == "PL-COOKIE-NONE"


def test_the_vendors_program_comes_before_browsers_and_they_in_their_order(machine: Machine) -> None:
    with closing(firefox_cookies(machine.firefox())) as running:
        firefox_cookie(running, "in-firefox")
    machine.chromium("chromium/Default", "in-chromium")
    machine.chromium("google-chrome/Profile 1", "in-chrome-1")
    machine.chromium("google-chrome/Default", "in-chrome")
    desktop = machine.home / ".config" / "kimi-desktop"
    machine.storage(desktop, "eyJdesktop.a.b")
    assert [token for _, token in machine.found()] == [
        "eyJdesktop.a.b", "in-chrome", "in-chrome-1", "in-chromium", "in-firefox",
    ]  # fmt: skip
    assert machine.found(browser="chromium") == [("Chromium", "in-chromium")]


def test_a_store_is_opened_only_when_those_before_did_not_serve(machine: Machine) -> None:
    machine.chromium("google-chrome/Default", "in-chrome")
    folder = machine.chromium("chromium/Default", "in-chromium")
    assert PLAN is not None
    place = PLAN.region("cn")
    assert place is not None
    around = Surroundings(environment={}, home=machine.home, now=NOW)
    sessions = stored_sessions("work", PLAN, place, around)
    assert next(sessions)[1].token.reveal() == "in-chrome"
    (folder / "Network" / "Cookies").unlink()
    with pytest.raises(StopIteration):
        next(sessions)


def test_a_local_storage_value_counts_only_when_it_is_a_token(machine: Machine) -> None:
    folder = machine.chromium("chromium/Default")
    machine.storage(folder, "something-else")
    assert machine.refused().problem.code == "PL-COOKIE-NONE"


def test_refresh_tokens_and_expired_ones_are_no_candidates(machine: Machine) -> None:
    machine.chromium(
        "chromium/Default", jwt(typ="refresh"), jwt(exp=int(datetime(2026, 11, 18, 9, 12, tzinfo=UTC).timestamp()))
    )
    problem = machine.refused().problem
    assert problem.code == "PL-COOKIE-EXPIRED"
    assert Voice(now=NOW).explain(problem).what == "The Kimi web token expired 2d ago (Wed 18 Nov 09:12)."


def test_a_container_is_read_when_it_is_named(machine: Machine) -> None:
    with closing(firefox_cookies(machine.firefox())) as running:
        firefox_cookie(running, "default")
        firefox_cookie(running, "second", attributes="^userContextId=2")
    assert machine.found(browser="firefox") == [("Firefox", "default")]
    assert machine.found(browser="firefox:container=2") == [("Firefox", "second")]


@pytest.mark.parametrize(
    ("secret", "code", "what"),
    [
        (
            b"v20" + bytes(40),
            "PL-COOKIE-APPBOUND",
            "Chrome on Windows binds this cookie to itself; Perilune cannot read it.",
        ),
        (
            encrypted("x", ".kimi.com", prefix=b"v11", password=b"p"),
            "PL-COOKIE-LOCKED",
            "Chrome's cookies are encrypted and no keyring can be asked.",
        ),
        (b"v10", "PL-COOKIE-UNREADABLE", "Chrome's Kimi cookie cannot be decrypted."),
    ],
)
def test_what_stands_in_the_way_is_told(machine: Machine, secret: bytes, code: str, what: str) -> None:
    chromium_cookies(machine.home / ".config/google-chrome/Default", [(".kimi.com", "kimi-auth", "", secret, 0, 1)])
    machine.chromium("chromium/Default")
    problem = machine.refused().problem
    assert (problem.code, Voice(now=NOW).explain(problem).what) == (code, what)
    machine.chromium("microsoft-edge/Default", "in-edge")
    assert machine.found() == [("Edge", "in-edge")]


def test_where_nothing_was_found_is_said_with_the_number_of_profiles(machine: Machine) -> None:
    def said(browser: str | None = None) -> str:
        return Voice(now=NOW).explain(machine.refused(browser=browser).problem).what

    assert said() == "No browser of this machine has a profile."
    machine.chromium("google-chrome/Default")
    assert said() == "No Kimi login found in Chrome (1 profile read)."
    machine.chromium("google-chrome/Profile 1")
    machine.firefox()
    assert said() == "No Kimi login found in Chrome, Firefox (3 profiles read)."
    assert said("opera") == "There is no browser opera on this machine."


def test_the_port_finds_the_reader_of_sessions() -> None:
    assert session_reader("kimi-code") is not None
    assert session_reader("moonshot") is None
