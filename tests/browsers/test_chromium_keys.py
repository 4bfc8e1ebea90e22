"""What macOS, Windows and KWallet keep for a browser, and the cookies that are encrypted with it."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace
from tests.browsers.stores import chromium

from perilune.browsers.chromium_keys import keyring_asker, local_key
from perilune.browsers.chromium_secret import decrypted
from perilune.browsers.dpapi import unprotect
from perilune.browsers.stored import Profile, StoreError

PLAIN, HOST = b"eyJ.plain.x", ".kimi.com"
BOUND = hashlib.sha256(HOST.encode()).digest() + PLAIN


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment in which a program of that name is found."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{folder}:/bin:/usr/bin" if name != "nothing" else str(folder)}


def never(_: Profile) -> bytes:
    raise AssertionError("the keyring is not to be asked")


def test_macos_derives_its_key_in_1003_rounds(tmp_path: Path) -> None:
    profile = replace(chromium(tmp_path), browser="Edge")
    around = program(tmp_path, "security", f'echo "$@" > {tmp_path}/asked; echo keychain-secret')
    key = hashlib.pbkdf2_hmac("sha1", b"keychain-secret", b"saltysalt", 1003, 16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(b" " * 16)).encryptor()
    count = 16 - len(BOUND) % 16
    sealed = b"v10" + encryptor.update(BOUND + bytes([count]) * count) + encryptor.finalize()
    assert decrypted(sealed, HOST, 24, profile, keyring_asker(around, "darwin"), "darwin") == PLAIN
    assert (tmp_path / "asked").read_text() == "find-generic-password -w -s Microsoft Edge Safe Storage\n"


@pytest.mark.parametrize(("script", "variant"), [("exit 128", ""), (None, "absent")])
def test_a_refused_keychain_is_locked(tmp_path: Path, script: str | None, variant: str) -> None:
    around = program(tmp_path, "security", script) if script else {"PATH": str(tmp_path)}
    with pytest.raises(StoreError) as refused:
        keyring_asker(around, "darwin")(chromium(tmp_path))
    assert (refused.value.code, refused.value.variant) == ("PL-COOKIE-LOCKED", variant)


def test_kwallet_is_asked_where_the_secret_service_has_nothing(tmp_path: Path) -> None:
    program(tmp_path, "secret-tool", "exit 0")
    around = program(tmp_path, "kwallet-query", f'echo "$@" > {tmp_path}/asked; echo wallet-secret')
    assert keyring_asker(around, "linux")(chromium(tmp_path)) == b"wallet-secret"
    assert (tmp_path / "asked").read_text() == "-f Chromium Keys -r Chromium Safe Storage kdewallet\n"


def test_a_locked_item_without_its_secret_is_locked(tmp_path: Path) -> None:
    around = program(tmp_path, "secret-tool", 'echo "[/1]"; echo "label = Chromium Safe Storage"')
    with pytest.raises(StoreError) as locked:
        keyring_asker(around, "linux")(chromium(tmp_path))
    assert (locked.value.code, locked.value.variant) == ("PL-COOKIE-LOCKED", "")


def test_windows_unseals_with_the_key_of_local_state(tmp_path: Path) -> None:
    key, nonce = bytes(range(32)), bytes(12)
    state = {"os_crypt": {"encrypted_key": b64encode(b"DPAPI" + key[::-1]).decode()}}
    (tmp_path / "Local State").write_text(json.dumps(state))
    profile = chromium(tmp_path / "Default")

    def ask(asked: Profile) -> bytes:
        return local_key(asked, lambda sealed: sealed[::-1])

    sealed = b"v10" + nonce + AESGCM(key).encrypt(nonce, BOUND, None)
    assert decrypted(sealed, HOST, 24, profile, ask, "win32") == PLAIN
    with pytest.raises(StoreError, match="PL-COOKIE-UNREADABLE"):
        decrypted(sealed[:-1] + b"\x00", HOST, 24, profile, ask, "win32")
    with pytest.raises(StoreError, match="PL-COOKIE-UNREADABLE"):
        decrypted(b"v11" + sealed[3:], HOST, 24, profile, never, "win32")


@pytest.mark.parametrize("content", ["{}", "[]", '{"os_crypt": {"encrypted_key": "!"}}', None])
def test_no_local_state_is_no_key(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "Local State").write_text(content)
    with pytest.raises(StoreError) as locked:
        local_key(chromium(tmp_path / "Default"), lambda sealed: sealed)
    assert (locked.value.code, locked.value.variant) == ("PL-COOKIE-LOCKED", "absent")


def test_the_data_protection_of_windows_is_absent_elsewhere() -> None:
    with pytest.raises(StoreError, match="PL-COOKIE-LOCKED"):
        unprotect(b"sealed")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_what_a_browser_binds_to_itself_is_bypassed_nowhere(tmp_path: Path, platform: str) -> None:
    with pytest.raises(StoreError, match="PL-COOKIE-APPBOUND"):
        decrypted(b"v20" + bytes(60), HOST, 24, chromium(tmp_path), never, platform)
