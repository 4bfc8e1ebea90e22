"""Shows that the vendor's own client and Perilune get on: one login, two readers, the same figures.

The client logs in at a sandbox; Perilune reads its login; the client goes on. Prints a table, exit status 1 on a "no".
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from perilune.sandbox import SandboxThread, running_sandbox
from perilune.sandbox.accounts.membership import Wallet
from scripts import _kimi_client
from scripts._kimi_client import KimiClient, state_of

if TYPE_CHECKING:
    from perilune.sandbox.accounts import Membership

ROOT = Path(__file__).resolve().parents[1]
MEMBER = "kimi-cn"
NAMES = {"limit5h": "5h", "limit7d": "7d", "monthTotal": "month"}
SETS: dict[str, dict[str, int]] = {
    "as it is": {},
    "nothing used": {"5h": 0, "7d": 0, "month": 0},
    "nearly spent": {"5h": 199, "7d": 2047, "month": 7800},
    "spent": {"5h": 200, "7d": 2048, "month": 7820},
}


@dataclass
class Check:
    """One thing that is to hold."""

    what: str
    holds: bool
    detail: str = ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/logins", description="The vendor's own client beside Perilune.")
    parser.add_argument("--install", action="store_true", help="get the client from the npm registry first")
    options = parser.parse_args(arguments)
    place = _kimi_client.folder()
    if options.install:
        _kimi_client.install(place)
    command = _kimi_client.find(place)
    if command is None:
        print(f"not there: {_kimi_client.CLIENT} with Node 22.19 or newer in {place}; ./scripts/logins --install")
        return 69
    print("| What | Holds | |\n|---|---|---|")
    holds = True
    with tempfile.TemporaryDirectory() as folder, running_sandbox() as played:
        for check in checks(command, Path(folder), played):
            print(f"| {check.what} | {'yes' if check.holds else '**no**'} | {check.detail} |", flush=True)
            holds = holds and check.holds
    return 0 if holds else 1


def checks(command: list[str], work: Path, played: SandboxThread) -> Iterator[Check]:
    """Everything that is shown, in order."""
    client = KimiClient(command, work / "kimi-home", played.url)
    client.log_in()
    yield Check("the client logs in at the sandbox", True, _slots(client))
    yield from _login_is_read(client, work, played)
    yield Check("the client still answers afterwards", client.answers())
    yield from _stale_login(client, work, played)
    yield from figures(client, work, played)


def _login_is_read(client: KimiClient, work: Path, played: SandboxThread) -> Iterator[Check]:
    before, seen = state_of(client.home), len(played.world.journal.select())
    added = perilune(client, work, "add", "--from", "kimi-cli", "--json")
    account = json.loads(added.stdout)["account"] if added.returncode == 0 else {}
    told = f"{account.get('plan')} {account.get('region')}, source {account.get('source')}"
    yield Check("Perilune reads that login", account.get("source") == "cli-login", told)
    status = perilune(client, work, "status", "--json")
    yield Check("and its status", status.returncode == 0, f"exit {status.returncode}")
    yield Check("no file of the client changed", state_of(client.home) == before, f"{len(before)} files by digest")
    ours = played.world.journal.select()[seen:]
    named = [entry for entry in ours if any(name.startswith("x-msh") for name in entry.headers)]
    agents = {entry.headers.get("user-agent", "").partition("/")[0] for entry in ours}
    yield Check("its own name on every call, no identity headers", agents == {"perilune"} and not named, str(agents))
    signing = [entry.path for entry in ours if entry.host.startswith("auth.")]
    yield Check("the sign-in host was not asked", not signing, f"{len(ours)} calls")


def figures(client: KimiClient, work: Path, played: SandboxThread) -> Iterator[Check]:
    """The client's own parser on one side, Perilune's on the other, over several sets of figures."""
    member = cast("Membership", played.world.accounts[MEMBER])
    with client.usage() as oracle:
        for name, used in SETS.items():
            for window, count in used.items():
                member.windows[window].used = Decimal(count)
            member.wallet = Wallet() if name == "nearly spent" else None
            wanted = {w: float(q.ratio) for w, q in member.windows.items()}
            theirs, ours = _theirs(oracle.quota()), _ours(client, work)
            yield Check(f"figures, {name}: the client's are those set", _equal(theirs, wanted), str(theirs))
            yield Check(f"figures, {name}: Perilune's are the client's", ours == theirs, str(ours))


def _stale_login(client: KimiClient, work: Path, played: SandboxThread) -> Iterator[Check]:
    """A login that is about to end is not sent; the client renews it, Perilune reads on."""
    logins = played.world.logins
    logins.settings.token_life_s = 30
    second = replace(client, home=work / "second-home")
    second.log_in()
    state_of_login = state_of(second.home / "credentials")
    before, calls = state_of(second.home), len(played.world.journal.select())
    stale = perilune(second, work, "accounts", "test", "kimi-code")
    was_quiet = len(played.world.journal.select()) == calls and state_of(second.home) == before
    told = "PL-LOGIN-EXPIRED" in stale.stderr
    yield Check("a login with 30 s left is told as expired, nothing sent or written", told and was_quiet)
    logins.settings.token_life_s = 900
    is_renewed = second.answers() and state_of(second.home / "credentials") != state_of_login
    yield Check("the client renews it by itself", is_renewed, _slots(second))
    fresh = perilune(second, work, "accounts", "test", "kimi-code")
    yield Check("Perilune reads the renewed one", fresh.returncode == 0, f"exit {fresh.returncode}")


def perilune(client: KimiClient, work: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One command of ours, beside the client's home."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(work),
        "PERILUNE_HOME": str(work / "perilune"),
        "PERILUNE_UPSTREAM": client.sandbox,
        "KIMI_CODE_HOME": str(client.home),
        "PYTHONPATH": str(ROOT / "src"),
    }
    argv = [sys.executable, "-m", "perilune", *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _slots(client: KimiClient) -> str:
    return ", ".join(file.name for file in (client.home / "credentials").glob("*.json"))


def _theirs(quota: Mapping[str, Any]) -> dict[str, object]:
    windows: dict[str, object] = {
        NAMES[name]: value["usedRatio"] for name, value in quota["usages"].items() if name in NAMES and value
    }
    extra = quota.get("extraUsage")
    return windows | ({"extra": extra["balanceCents"] / 100} if extra and "balanceCents" in extra else {})


def _ours(client: KimiClient, work: Path) -> dict[str, object]:
    perilune(client, work, "accounts", "test", "kimi-code")
    [account] = json.loads(perilune(client, work, "status", "--json").stdout)["accounts"]
    found: dict[str, object] = {window["id"]: window["used_ratio"] for window in account["windows"]}
    extra = account.get("extra_usage")
    return found | ({"extra": float(extra["left"]["amount"])} if extra else {})


def _equal(theirs: Mapping[str, object], wanted: Mapping[str, float]) -> bool:
    return all(abs(float(str(theirs[window])) - ratio) < 0.0001 for window, ratio in wanted.items())


if __name__ == "__main__":
    sys.exit(main())
