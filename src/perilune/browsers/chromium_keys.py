"""What the system keeps for a browser of the Chromium family, asked of the system's own keyring, once for each browser.

Nothing is unlocked: a keyring that is locked stays so, and no window asks a person for a password of theirs.
Source: chromium components/os_crypt; Secret Service, KWallet, Keychain, DPAPI.
"""

import json
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from perilune.browsers.chromium_secret import AskKeyring
from perilune.browsers.stored import Profile, StoreError

_SCHEMA = "chrome_libsecret_os_crypt_password_v2"
_SECRET = b"secret = "
_PATIENCE_S = 10
_DPAPI = b"DPAPI"
_FULL_NAMES = {"Edge": "Microsoft Edge"}

Unprotect = Callable[[bytes], bytes]


def keyring_asker(environment: Mapping[str, str], platform: str = sys.platform) -> AskKeyring:
    """Asks this system's keyring, once for each browser. What it raises: StoreError PL-COOKIE-LOCKED, -UNREADABLE."""
    known: dict[str, bytes] = {}
    look = {"darwin": _keychain, "win32": _local_state}.get(platform, _desktop)

    def ask(profile: Profile) -> bytes:
        if profile.browser not in known:
            known[profile.browser] = look(profile, environment)
        return known[profile.browser]

    return ask


def local_key(profile: Profile, unprotect: Unprotect) -> bytes:
    """The key in `Local State` of the profile's browser. Raises: StoreError."""
    for folder in (profile.folder.parent, profile.folder):
        try:
            kept = json.loads((folder / "Local State").read_bytes())["os_crypt"]["encrypted_key"]
            sealed = b64decode(kept)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if sealed.startswith(_DPAPI):
            return unprotect(sealed.removeprefix(_DPAPI))
    raise StoreError("PL-COOKIE-LOCKED", "absent")


def _desktop(profile: Profile, environment: Mapping[str, str]) -> bytes:
    """The Secret Service, else KWallet. `search` is used because `lookup` would ask to unlock."""
    found = None
    if profile.application:
        words = ["search", "xdg:schema", _SCHEMA, "application", profile.application]
        found = _ask("secret-tool", words, environment)
        secret = next((line for line in (found or b"").splitlines() if line.startswith(_SECRET)), None)
        if secret is not None:
            return secret.removeprefix(_SECRET)
    name = _full_name(profile)
    wallet = _ask("kwallet-query", ["-f", f"{name} Keys", "-r", f"{name} Safe Storage", "kdewallet"], environment)
    if wallet:
        return wallet.rstrip(b"\n")
    raise StoreError("PL-COOKIE-LOCKED", "absent" if found is None and wallet is None else "")


def _keychain(profile: Profile, environment: Mapping[str, str]) -> bytes:
    words = ["find-generic-password", "-w", "-s", f"{_full_name(profile)} Safe Storage"]
    found = _ask("security", words, environment)
    if not found:
        raise StoreError("PL-COOKIE-LOCKED", "absent" if found is None else "")
    return found.rstrip(b"\n")


def _local_state(profile: Profile, _: Mapping[str, str]) -> bytes:
    from perilune.browsers.dpapi import unprotect

    return local_key(profile, unprotect)


def _ask(program: str, words: Sequence[str], environment: Mapping[str, str]) -> bytes | None:
    """What a program of the system prints, empty where it refuses, None where it is not there."""
    path = shutil.which(program, path=environment.get("PATH", ""))
    if path is None or not Path(path).is_file():
        return None
    try:
        done = subprocess.run(
            [path, *words], env=dict(environment), capture_output=True, stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _full_name(profile: Profile) -> str:
    return _FULL_NAMES.get(profile.browser, profile.browser)
