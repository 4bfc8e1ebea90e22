"""Secrets at rest, and reading what references point at."""

import json
import stat
import sys
from pathlib import Path

import pytest

from perilune.core.errors import CredentialError
from perilune.core.messages import Voice
from perilune.core.secret import Secret
from perilune.vault.envelope import MasterKey, WrongKeyError
from perilune.vault.vault import Vault

KEY = "sk-kimi-EXAMPLE0000000000a1b2"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", {})


def _said(error: CredentialError) -> str:
    words = Voice().explain(error.problem)
    return "\n".join([words.what, words.why or "", *words.fix])


def test_a_stored_secret_reads_back_under_its_reference(vault: Vault) -> None:
    assert vault.store("work", Secret(KEY)) == "vault:work"
    assert vault.read("vault:work", "work").reveal() == KEY
    assert vault.names() == ["work"]


def test_files_are_for_their_owner_alone_and_hold_no_plain_text(vault: Vault, tmp_path: Path) -> None:
    vault.store("work", Secret(KEY))
    vault.fingerprint(Secret(KEY))
    folder = tmp_path / "vault"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert KEY.encode() not in file.read_bytes()


def test_another_process_with_the_same_folder_reads_it(vault: Vault, tmp_path: Path) -> None:
    vault.store("work", Secret(KEY))
    again = Vault(tmp_path / "vault", {})
    assert again.read("vault:work", "work") == Secret(KEY)
    assert again.fingerprint(Secret(KEY)) == vault.fingerprint(Secret(KEY)) != vault.fingerprint(Secret(KEY + "x"))


def test_fingerprints_differ_between_machines(tmp_path: Path) -> None:
    one, other = Vault(tmp_path / "a", {}), Vault(tmp_path / "b", {})
    assert one.fingerprint(Secret(KEY)) != other.fingerprint(Secret(KEY))


def test_a_removed_secret_is_gone(vault: Vault) -> None:
    vault.store("work", Secret(KEY))
    assert vault.remove("work")
    assert not vault.remove("work")
    with pytest.raises(CredentialError) as caught:
        vault.read("vault:work", "work")
    assert _said(caught.value).startswith("The key of work is not there: the vault has no 'work'.")


@pytest.mark.parametrize("master", ["correct horse battery staple", "ab" * 32])
def test_a_master_key_of_the_environment_opens_the_vault_and_no_file_holds_it(tmp_path: Path, master: str) -> None:
    folder = tmp_path / "vault"
    Vault(folder, {"PERILUNE_MASTER_KEY": master}).store("work", Secret(KEY))
    assert not (folder / "master.key").exists()
    assert Vault(folder, {"PERILUNE_MASTER_KEY": master}).read("vault:work", "work") == Secret(KEY)
    with pytest.raises(CredentialError) as caught:
        Vault(folder, {"PERILUNE_MASTER_KEY": "another"}).read("vault:work", "work")
    assert caught.value.problem.variant == "vault_locked"
    with pytest.raises(CredentialError):
        Vault(folder, {}).read("vault:work", "work")


def test_an_envelope_under_another_name_does_not_open() -> None:
    master = MasterKey(b"k" * 32)
    envelope = master.close("work", KEY)
    assert master.open("work", envelope) == KEY
    with pytest.raises(WrongKeyError):
        master.open("ci", envelope)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
@pytest.mark.parametrize("name", ["vault.json", "master.key"])
def test_a_vault_open_to_others_is_refused(vault: Vault, tmp_path: Path, name: str) -> None:
    vault.store("work", Secret(KEY))
    (tmp_path / "vault" / name).chmod(0o644)
    with pytest.raises(CredentialError) as caught:
        vault.read("vault:work", "work")
    assert caught.value.problem.variant == "file_open"


def test_a_broken_vault_is_said_and_not_overwritten(vault: Vault, tmp_path: Path) -> None:
    vault.store("work", Secret(KEY))
    file = tmp_path / "vault" / "vault.json"
    file.write_bytes(b"{")
    with pytest.raises(CredentialError):
        vault.store("ci", Secret(KEY))
    assert file.read_bytes() == b"{"


def test_an_environment_variable_is_cleaned() -> None:
    vault = Vault(Path("unused"), {"A_KEY": ' "sk-EXAMPLE-quoted" \n'})
    assert vault.read("env:A_KEY", "ci").reveal() == "sk-EXAMPLE-quoted"


def test_an_empty_variable_is_named() -> None:
    with pytest.raises(CredentialError) as caught:
        Vault(Path("unused"), {"MOONSHOT_API_KEY": "  "}).read("env:MOONSHOT_API_KEY", "ci")
    assert _said(caught.value).startswith(
        "The key of ci is not there: environment variable MOONSHOT_API_KEY is empty.\n",
    )
    assert "perilune accounts rotate ci" in _said(caught.value)


def test_a_file_is_read_only_when_it_is_private(tmp_path: Path, vault: Vault) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    assert vault.read(f"file:{file}", "ci").reveal() == KEY
    file.chmod(0o640)
    with pytest.raises(CredentialError) as caught:
        vault.read(f"file:{file}", "ci")
    assert caught.value.problem.variant == "file_open"
    with pytest.raises(CredentialError) as caught:
        vault.read(f"file:{tmp_path / 'no'}", "ci")
    assert caught.value.problem.variant == "file_missing"


def test_a_command_prints_the_key_and_its_failure_shows_nothing_of_it(vault: Vault) -> None:
    assert vault.read(f"cmd:{sys.executable} -c \"print('sk-EXAMPLE-cmd')\"", "ci").reveal() == "sk-EXAMPLE-cmd"
    with pytest.raises(CredentialError) as caught:
        vault.read(f"cmd:{sys.executable} -c \"import sys; print('sk-EXAMPLE-cmd'); sys.exit('{KEY}')\"", "ci")
    assert caught.value.problem.variant == "cmd"
    assert KEY not in _said(caught.value)
    with pytest.raises(CredentialError) as caught:
        vault.read("cmd:no-such-program-here --x", "ci")
    assert caught.value.problem.variant == "cmd_missing"


def test_a_key_where_a_reference_belongs_is_not_shown(vault: Vault) -> None:
    with pytest.raises(CredentialError) as caught:
        vault.read(KEY, "ci")
    assert caught.value.problem.variant == "reference"
    assert KEY not in str(caught.value) + _said(caught.value)


@pytest.mark.case("accounts 1.8")
@pytest.mark.parametrize("key", ["sk-a b", "sk-a\nX-Evil: 1", "sk-ключ"])
def test_what_cannot_be_a_key_is_refused_before_any_call(key: str) -> None:
    with pytest.raises(CredentialError) as caught:
        Vault(Path("unused"), {"K": key}).read("env:K", "ci")
    assert caught.value.problem.code == "PL-401-SHAPE"
    assert caught.value.problem.exit_code == 2
    assert key not in _said(caught.value)


def test_the_shelf_names_the_key_that_closed_each_envelope(vault: Vault, tmp_path: Path) -> None:
    vault.store("work", Secret(KEY))
    shelf = json.loads((tmp_path / "vault" / "vault.json").read_text())
    assert shelf["schema"] == 1
    assert len(shelf["entries"]["work"]["key"]) == 16
