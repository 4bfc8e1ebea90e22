"""The vault: secrets at rest on this machine, and reading whatever a key reference points at."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import Struct, field

from perilune.core.decoding import decoded
from perilune.core.errors import CredentialError
from perilune.core.keys import clean_key, has_key_shape
from perilune.core.secret import Secret
from perilune.vault.envelope import Envelope, MasterKey, WrongKeyError
from perilune.vault.files import is_open_to_others, locked, write_private
from perilune.vault.references import KeyReference, parse_reference, read_elsewhere

_SALT_BYTES = 16
_KEY_BYTES = 32


class _Shelf(Struct, kw_only=True):
    """`vault.json`: envelopes by name."""

    schema: int = 1
    salt: bytes = b""
    entries: dict[str, Envelope] = field(default_factory=dict)


class Vault:
    """Secrets of one user, by name. What is read is a `Secret`; nothing here shows one."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment

    def read(self, reference: str, account: str) -> Secret:
        """The key that a reference of an account points at, cleaned.

        Raises: PL-SECRET-READ when it is not there or must not be read; PL-401-SHAPE when it cannot be a key.
        """
        key = self.read_text(reference, account)
        if not has_key_shape(key.reveal()):
            raise CredentialError.of("PL-401-SHAPE", account=account)
        return key

    def read_text(self, reference: str, owner: str) -> Secret:
        """The secret that a reference points at, which may hold what no key holds: a password with spaces.

        Raises: PL-SECRET-READ.
        """
        parsed = parse_reference(reference, owner)
        text = self._open(parsed) if parsed.kind == "vault" else read_elsewhere(parsed, self._environment)
        cleaned = clean_key(text)
        if not cleaned:
            raise parsed.unreadable("empty")
        return Secret(cleaned)

    def store(self, name: str, secret: Secret) -> str:
        """Keep a secret under a name, in place of any before, and return its reference."""
        with locked(self._folder):
            shelf = self._shelf(name)
            shelf.salt = shelf.salt or os.urandom(_SALT_BYTES)
            shelf.entries[name] = self._master(shelf, name).close(name, secret.reveal())
            self._save(shelf)
        return f"vault:{name}"

    def remove(self, name: str) -> bool:
        """Forget a secret; False when there was none."""
        with locked(self._folder):
            shelf = self._shelf(name)
            if shelf.entries.pop(name, None) is None:
                return False
            self._save(shelf)
            return True

    def names(self) -> list[str]:
        """The names of the secrets kept here."""
        return sorted(self._shelf("").entries)

    def fingerprint(self, secret: Secret) -> str:
        """A keyed digest of a secret, comparable on this machine only."""
        return secret.fingerprint(self.fingerprint_key)

    @cached_property
    def fingerprint_key(self) -> bytes:
        """The local random key of all fingerprints; made when first needed."""
        return self._random_key("fingerprint.key")

    def _open(self, reference: KeyReference) -> str:
        shelf = self._shelf(reference.account)
        envelope = shelf.entries.get(reference.target)
        if envelope is None:
            raise reference.unreadable("vault")
        try:
            return self._master(shelf, reference.account).open(reference.target, envelope)
        except WrongKeyError:
            raise reference.unreadable("vault_locked") from None

    def _shelf(self, account: str) -> _Shelf:
        file = self._folder / "vault.json"
        try:
            _demand_private(file, account)
            return decoded(file.read_bytes(), _Shelf)
        except FileNotFoundError:
            return _Shelf()
        except msgspec.DecodeError:
            raise CredentialError.of(
                "PL-SECRET-READ", variant="vault_broken", account=account, file=str(file)
            ) from None

    def _save(self, shelf: _Shelf) -> None:
        write_private(self._folder / "vault.json", msgspec.json.format(msgspec.json.encode(shelf), indent=1) + b"\n")

    def _master(self, shelf: _Shelf, account: str) -> MasterKey:
        text = self._environment.get("PERILUNE_MASTER_KEY", "").strip()
        if text:
            return MasterKey.of_text(text, shelf.salt)
        _demand_private(self._folder / "master.key", account, may_be_absent=True)
        return MasterKey(self._random_key("master.key"))

    def _random_key(self, file_name: str) -> bytes:
        """A local random key: read, or made once. Two processes that make it at once agree on one."""
        file = self._folder / file_name
        if not file.exists():
            write_private(self._folder / f"{file_name}.{os.getpid()}", os.urandom(_KEY_BYTES))
            new = self._folder / f"{file_name}.{os.getpid()}"
            try:
                os.link(new, file)
            except FileExistsError:
                pass  # another process was first; its key is the one
            finally:
                new.unlink()
        return file.read_bytes()


def _demand_private(file: Path, account: str, *, may_be_absent: bool = False) -> None:
    if may_be_absent and not file.exists():
        return
    if is_open_to_others(file):
        raise CredentialError.of("PL-SECRET-READ", variant="file_open", account=account, file=str(file))
