"""Key references: where the key of an account is, `vault:NAME`, `env:NAME`, `file:PATH`, `cmd:ARGV`, `keyring:NAME`."""

import shlex
import subprocess
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from msgspec import Struct

from perilune.core.errors import CredentialError, PeriluneError, Problem
from perilune.vault.files import is_open_to_others

KINDS = ("vault", "env", "file", "cmd", "keyring")
_COMMAND_LIMIT_S = 20
_LARGEST_FILE = 64 * 1024


class KeyReference(Struct, frozen=True):
    """A reference of one account."""

    kind: str
    target: str
    account: str

    def unreadable(self, variant: str, **facts: object) -> PeriluneError:
        """PL-SECRET-READ for this reference."""
        facts = {"name": self.target, **facts}
        return CredentialError(Problem(code="PL-SECRET-READ", variant=variant, facts=facts, account=self.account))


def parse_reference(text: str, account: str) -> KeyReference:
    """The reference that a text is.

    Raises: PL-SECRET-READ when it is none; the text is not shown, it may be a key.
    """
    kind, _, target = text.partition(":")
    if kind not in KINDS or not target.strip():
        raise CredentialError.of("PL-SECRET-READ", variant="reference", account=account)
    return KeyReference(kind, target.strip(), account)


def read_elsewhere(reference: KeyReference, environment: Mapping[str, str]) -> str:
    """What a reference outside the vault points at.

    Raises: PL-SECRET-READ.
    """
    match reference.kind:
        case "env":
            return _from_environment(reference, environment)
        case "file":
            return _from_file(reference)
        case "cmd":
            return _from_command(reference, environment)
        case _:
            return _from_keyring(reference)


def _from_environment(reference: KeyReference, environment: Mapping[str, str]) -> str:
    value = environment.get(reference.target, "")
    if not value.strip():
        raise reference.unreadable("env")
    return value


def _from_file(reference: KeyReference) -> str:
    file = Path(reference.target).expanduser()
    try:
        if is_open_to_others(file):
            raise reference.unreadable("file_open", file=str(file))
        with file.open("rb") as opened:
            return opened.read(_LARGEST_FILE).decode()
    except FileNotFoundError:
        raise reference.unreadable("file_missing", file=str(file)) from None
    except (OSError, UnicodeDecodeError):
        raise reference.unreadable("file_unreadable", file=str(file)) from None


def _from_command(reference: KeyReference, environment: Mapping[str, str]) -> str:
    """What a program prints. Its own messages are not shown: they may hold the secret."""
    try:
        argv = shlex.split(reference.target)
        done = subprocess.run(argv, env=dict(environment), capture_output=True, timeout=_COMMAND_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise reference.unreadable("cmd_slow", program=argv[0], limit=_COMMAND_LIMIT_S) from None
    except (OSError, ValueError):
        raise reference.unreadable("cmd_missing", program=reference.target.split()[0]) from None
    if done.returncode != 0:
        raise reference.unreadable("cmd", program=argv[0], status=done.returncode)
    return done.stdout.decode("utf-8", "replace")


def _from_keyring(reference: KeyReference) -> str:
    try:
        keyring = import_module("keyring")
    except ImportError:
        raise reference.unreadable("keyring_package") from None
    try:
        value = keyring.get_password("perilune", reference.target)
    except keyring.errors.KeyringError:
        raise reference.unreadable("keyring_locked") from None
    if value is None:
        raise reference.unreadable("keyring")
    return str(value)
