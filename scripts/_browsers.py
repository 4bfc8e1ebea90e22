"""Shows on real browsers how a session is found: while they run, when they have ended, with a keyring and without.

Prints a table, exit status 1 on a "no". What is not installed is left out and said.
"""

import argparse
import hashlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from perilune.browsers import chromium, copies, firefox
from perilune.browsers.chromium_keys import keyring_asker
from perilune.browsers.stored import Profile, StoreReading, Wanted
from scripts import _browser_ground as ground
from scripts._browser_ground import ADDRESS, CONTAINED, COOKIE, NEVER, STORED, Site, wait_until

WANTED = Wanted(
    cookie="kimi-auth",
    hosts=("kimi.com", ".kimi.com", "www.kimi.com", ".www.kimi.com"),
    origin="https://www.kimi.com",
    storage_key="access_token",
)
BOTH = {"cookie": COOKIE, "local-storage": STORED}


@dataclass
class Check:
    """One thing that is to hold."""

    what: str
    holds: bool
    detail: str = ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/browsers", description="Sessions of real browsers, found and left.")
    parser.parse_args(arguments)
    print("| What | Holds | |\n|---|---|---|")
    holds, count = True, 0
    for show, program in ((chromium_checks, ground.CHROMIUM), (firefox_checks, ground.FIREFOX)):
        if program is None:
            print(f"| {show.__name__} | not installed | |")
            continue
        with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as served:
            for check in show(Path(folder), served):
                print(f"| {check.what} | {'yes' if check.holds else '**no**'} | {check.detail} |", flush=True)
                holds, count = holds and check.holds, count + 1
    return 0 if holds and count else 1


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """The web site of both."""
    served = Site(folder)
    try:
        yield served
    finally:
        served.stop()


def chromium_checks(work: Path, served: Site) -> Iterator[Check]:
    """Without a Secret Service, then with one, locked, and with a value that the browser binds to itself."""
    profile = work / "plain"
    with ground.chromium(profile, served.port, ADDRESS):
        served.has_stored.wait(ground.PATIENCE_S)
        wait_until(lambda: _values(_chromium(profile, {})) == BOTH)
        yield _found("Chromium running, no Secret Service", lambda: _chromium(profile, {}), BOTH)
    yield _unchanged("Chromium ended, no Secret Service", profile, lambda: _chromium(profile, {}), BOTH)
    yield _app_bound(profile, work / "bound")
    if not all(ground.KEYRING):
        yield Check("Secret Service", holds=True, detail="left out: gnome-keyring, libsecret-tools not installed")
        return
    yield from _with_keyring(work, served)


def _with_keyring(work: Path, served: Site) -> Iterator[Check]:
    profile = work / "kept"
    served.has_stored.clear()
    with ground.keyring(work / "desktop") as desktop:
        around = desktop.environment
        with ground.chromium(profile, served.port, ADDRESS, around):
            served.has_stored.wait(ground.PATIENCE_S)
            wait_until(lambda: _values(_chromium(profile, around)) == BOTH)
            yield _found("Chromium running, unlocked keyring", lambda: _chromium(profile, around), BOTH)
        yield Check(
            "its cookie is encrypted with the keyring's secret", _prefix(profile) == b"v11", repr(_prefix(profile))
        )
        yield _unchanged("Chromium ended, unlocked keyring", profile, lambda: _chromium(profile, around), BOTH)
        desktop.lock()
        locked = _chromium(profile, around)
        told = [(one.code, one.variant) for one in locked.troubles]
        stored = {"local-storage": STORED}
        holds = told == [("PL-COOKIE-LOCKED", "")] and _values(locked) == stored
        yield Check(
            "Chromium ended, locked keyring", holds, f"{told[0][0] if told else '–'}, local storage all the same"
        )
    absent = _chromium(profile, {})
    told = [(one.code, one.variant) for one in absent.troubles]
    yield Check("the same without any keyring", told == [("PL-COOKIE-LOCKED", "absent")], str(told))


def firefox_checks(work: Path, served: Site) -> Iterator[Check]:
    """Running, with everything in the log; ended; in a container."""
    profile, there = work / "fox", BOTH
    with ground.firefox(profile, served.port) as driven:
        driven.ask("WebDriver:Navigate", {"url": ADDRESS})
        served.has_stored.wait(ground.PATIENCE_S)
        _set_contained(driven)
        wait_until(lambda: _values(_firefox(profile)) == there and bool(_firefox(profile, "2").values))
        yield _found("Firefox running", lambda: _firefox(profile), there)
        log = profile / "cookies.sqlite-wal"
        in_log = log.is_file() and COOKIE.encode() in log.read_bytes()
        alone = _main_file_alone(profile, work / "alone")
        yield Check(
            "its cookie was only in the log then", in_log and COOKIE not in alone, f"log {log.stat().st_size} bytes"
        )
        yield _found("Firefox running, container 2", lambda: _firefox(profile, "2"), {"cookie": CONTAINED})
    yield _unchanged("Firefox ended", profile, lambda: _firefox(profile), there)
    yield _found("Firefox ended, container 2", lambda: _firefox(profile, "2"), {"cookie": CONTAINED})


def _set_contained(driven: ground.Driven) -> None:
    """The same cookie with another value in a container, and one that nobody may read."""
    driven.ask("Marionette:SetContext", {"value": "chrome"})
    script = (
        "const expiry = Date.now() + 8e9; for (const [name, value] of [['kimi-auth', arguments[0]],"
        " ['theme', arguments[1]]]) Services.cookies.add('.kimi.com', '/', name, value, true, true, false, expiry,"
        " {userContextId: 2}, 0, 2);"
    )
    driven.ask("WebDriver:ExecuteScript", {"script": script, "args": [CONTAINED, NEVER]})


def _found(what: str, read: Callable[[], StoreReading], there: Mapping[str, str]) -> Check:
    """That exactly what is wanted is found, and that only it was asked of the store."""
    asked: list[str] = []
    with _listening(asked):
        reading = read()
    foreign = [text for text in asked if "SELECT" in text and "kimi-auth" not in text and "access_token" not in text]
    foreign = [text for text in foreign if "FROM meta WHERE key = 'version'" not in text]
    holds = _values(reading) == dict(there) and not reading.troubles and not foreign
    holds = holds and NEVER not in "".join(value.value.reveal() for value in reading.values)
    trouble = ", ".join(one.code for one in reading.troubles)
    return Check(what, holds, trouble or ", ".join(sorted(_values(reading))) + "; no other row was asked for")


def _unchanged(what: str, profile: Path, read: Callable[[], StoreReading], there: Mapping[str, str]) -> Check:
    """As `_found`, and that no file of the browser is another one afterwards."""
    before = state_of(profile)
    found = _found(what, read, there)
    is_same = state_of(profile) == before
    return Check(what, found.holds and is_same, f"{found.detail}; {len(before)} files the same by digest and time")


def _app_bound(profile: Path, copy: Path) -> Check:
    """A value with the mark of one that the browser binds to itself, in a copy of a real store."""
    shutil.copytree(profile / "Default", copy / "Default", ignore=shutil.ignore_patterns("*Cache*", "Local Storage"))
    with closing(sqlite3.connect(_cookies(copy))) as store:
        store.execute(
            "UPDATE cookies SET value = '', encrypted_value = ? WHERE name = 'kimi-auth'", (b"v20" + bytes(60),)
        )
        store.commit()
    told = [one.code for one in _chromium(copy, {}).troubles]
    return Check("a value bound to the browser (v20)", told == ["PL-COOKIE-APPBOUND"], ", ".join(told))


@contextmanager
def _listening(asked: list[str]) -> Iterator[None]:
    """Notes every statement that the readers give to a store."""
    connect = sqlite3.connect

    class Heard:
        Error = sqlite3.Error

        @staticmethod
        def connect(file: Path) -> sqlite3.Connection:
            connection = connect(file)
            connection.set_trace_callback(asked.append)
            return connection

    kept = vars(copies)["sqlite3"]
    vars(copies)["sqlite3"] = Heard
    try:
        yield
    finally:
        vars(copies)["sqlite3"] = kept


def state_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder with its content's digest and time of change."""
    return {
        str(file.relative_to(folder)): (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }


def _values(reading: StoreReading) -> dict[str, str]:
    return {value.kind: value.value.reveal() for value in reading.values}


def _chromium(profile: Path, environment: Mapping[str, str]) -> StoreReading:
    one = Profile(
        browser="Chromium", family="chromium", name="Default", folder=profile / "Default", application="chromium"
    )
    return chromium.read_profile(one, WANTED, keyring_asker(environment))


def _firefox(profile: Path, container: str | None = None) -> StoreReading:
    one = Profile(browser="Firefox", family="firefox", name="default", folder=profile)
    return firefox.read_profile(one, WANTED, container)


def _cookies(profile: Path) -> Path:
    file = chromium.cookie_file(profile / "Default")
    if file is None:
        raise RuntimeError("the browser has no cookie store")
    return file


def _prefix(profile: Path) -> bytes:
    with closing(sqlite3.connect(f"file:{_cookies(profile)}?mode=ro&immutable=1", uri=True)) as store:
        row = store.execute("SELECT encrypted_value FROM cookies WHERE name = 'kimi-auth'").fetchone()
    return bytes(row[0])[:3] if row else b""


def _main_file_alone(profile: Path, folder: Path) -> str:
    """What the store says without its log: all values of the cookie."""
    folder.mkdir()
    shutil.copyfile(profile / "cookies.sqlite", folder / "cookies.sqlite")
    with closing(sqlite3.connect(folder / "cookies.sqlite")) as store:
        return repr(store.execute("SELECT value FROM moz_cookies WHERE name = 'kimi-auth'").fetchall())


if __name__ == "__main__":
    sys.exit(main())
