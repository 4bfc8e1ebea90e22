"""`perilune doctor` over a home with played vendors."""

import json
import os
import sqlite3
import stat
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace
from tests.faces.cli.conftest import Cli, Ran

from perilune.compose.workbench import Workbench
from perilune.core.schemas import schema_files
from perilune.core.width import width
from perilune.faces.doctor.scan import all_checks
from perilune.sandbox import SandboxThread
from perilune.store import deliveries

KIMI_CN = "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001"
MOONSHOT_INTL = "sk-EXAMPLE0sandbox0moonshot0intl0000000000001"


@pytest.fixture
def work(cli: Cli, sandbox: SandboxThread) -> Path:
    """One account, `work`; the path of the configuration."""
    assert cli("add", "--stdin", "--name", "work", given=KIMI_CN).status == 0
    file = Path(cli("config", "path").out.strip())
    with closing(sqlite3.connect(file.parent / "perilune.db")) as store, store:
        store.execute("UPDATE reads SET tried_at = tried_at - 60000")  # not just now
    sandbox.world.journal.clear()
    return file


def _line(ran: Ran, name: str) -> str:
    return next(line for line in ran.out.splitlines() if line[4:].startswith(f"{name} "))


def test_a_sound_home_has_nothing_wrong(cli: Cli, work: Path) -> None:
    ran = cli("doctor")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[0].startswith("perilune ")
    assert _line(ran, "config").endswith("config.toml, mode 600, schema 1")
    assert "integrity ok" in _line(ran, "store")
    assert _line(ran, "work") == "  ✓ work          key accepted, 3 windows, concurrency 30"
    assert "Nothing is wrong.\n" in ran.out
    assert all(width(line) <= 80 for line in ran.out.splitlines())


def test_only_hosts_of_accounts_get_a_key(cli: Cli, work: Path, sandbox: SandboxThread) -> None:
    cli("doctor")
    asked = [(entry.host, bool(entry.key)) for entry in sandbox.world.journal.select()]
    assert {host for host, _ in asked} == {"api.kimi.com", "api.kimi.ai", "api.moonshot.ai", "api.moonshot.cn"}
    assert {host for host, has_key in asked if has_key} == {"api.kimi.com"}


def test_a_file_that_others_read_is_put_right(cli: Cli, work: Path) -> None:
    work.chmod(0o644)
    ran = cli("doctor")
    assert ran.status == 0
    assert "PL-CONFIG-MODE: config.toml can be read by others (mode 644)." in ran.out
    assert "0 problems, 1 warning, 1 can be fixed automatically." in ran.out
    fixed = cli("doctor", "--fix")
    assert f"done: {work} is now mode 600" in fixed.out
    assert stat.S_IMODE(work.stat().st_mode) == 0o600
    assert "Nothing is wrong." in cli("doctor").out


def test_a_spent_account_is_a_problem_with_its_code(cli: Cli, work: Path, sandbox: SandboxThread) -> None:
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}})
    document = json.loads(cli("doctor", "--json").out)
    jsonschema.validate(document, json.loads(schema_files()["doctor"].read_text()))
    found = next(check for check in document["checks"] if check["subject"] == "work")
    assert (found["id"], found["status"], found["code"], found["fixable"]) == ("accounts", "fail", "PL-QUOTA-5H", False)
    assert found["fix"][0] == "wait: perilune guard --wait"
    assert cli("doctor").status == 1


def test_hosts_that_are_not_reached_are_named(
    cli: Cli, work: Path, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERILUNE_UPSTREAM", "http://127.0.0.1:1")
    ran = cli("doctor")
    assert ran.status == 1
    lines = [line for line in ran.out.splitlines() if line[4:].startswith("network")]
    assert [line[2] for line in lines] == ["✗", "!", "!", "!"]
    assert "PL-NET-REFUSED: api.kimi.com refuses the connection" in lines[0]
    assert "fix: check the network, or set HTTPS_PROXY" in ran.out


def test_a_configuration_that_cannot_be_used_does_not_stop_the_rest(cli: Cli, work: Path) -> None:
    work.write_text("schema = 1\nfoo = 2\n")
    ran = cli("doctor")
    assert ran.status == 1
    assert "PL-CONFIG-KEY" in _line(ran, "config")
    assert "✓ store" in ran.out
    assert "✓ terminal" in ran.out


def test_a_damaged_store_is_told_and_not_touched(cli: Cli, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("status", "--refresh")
    store = work.parent / "perilune.db"
    content = bytearray(store.read_bytes())
    content[100:4000] = b"\xff" * 3900
    for companion in ("-wal", "-shm"):
        Path(f"{store}{companion}").unlink(missing_ok=True)
    store.write_bytes(content)
    ran = cli("doctor")
    assert ran.status == 1
    assert "PL-STORE-CORRUPT" in _line(ran, "store")


@pytest.fixture
def fixed_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_LLM_PROVIDER_MODEL", "kimi-k2.6")
    monkeypatch.setenv("API_OPENAI_FORCE_BASE_URL", "https://api.moonshot.ai/v1")
    monkeypatch.setenv("API_OPEN_AI_API_KEY", MOONSHOT_INTL)


@pytest.mark.case("gateway FX-04")
@pytest.mark.usefixtures("fixed_names")
def test_a_file_wins_over_fixed_mode_and_the_doctor_says_so(cli: Cli, work: Path) -> None:
    accounts = [one["name"] for one in json.loads(cli("accounts", "list", "--json").out)["accounts"]]
    assert accounts
    assert "fixed" not in accounts
    told = " ".join(cli("doctor").out.split())
    assert "API_OPEN_AI_API_KEY do nothing while" in told


@pytest.mark.case("gateway FX-05")
@pytest.mark.usefixtures("fixed_names")
def test_without_its_key_fixed_mode_is_off_and_the_doctor_names_what_is_missing(
    cli: Cli, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.unlink()
    assert '"fixed"' in cli("accounts", "list", "--json").out
    monkeypatch.delenv("API_OPEN_AI_API_KEY")
    assert '"fixed"' not in cli("accounts", "list", "--json").out
    alone = cli("doctor")
    assert "API_OPEN_AI_API_KEY is not set" in " ".join(alone.out.split())
    assert MOONSHOT_INTL not in alone.out


def test_a_lost_status_line_is_put_back(cli: Cli, work: Path) -> None:
    assert cli("install", "statusline", "--for", "kimi", "--yes").status == 0
    file = Path(os.environ["HOME"]) / ".kimi-code" / "tui.toml"
    installed = file.read_text()
    assert "our lines are where they were put: 1" in cli("doctor").out
    file.write_text("")
    ran = cli("doctor")
    assert ran.status == 0
    assert "PL-STATUSLINE-LOST: tui.toml lost our command (host upgrade)." in ran.out
    cli("doctor", "--fix")
    assert file.read_text() == installed


def test_a_model_that_an_account_does_not_have_names_the_closest(cli: Cli, work: Path) -> None:
    slots = 'slots = [{ account = "work", model = "kimi-for-codin" }]'
    work.write_text(work.read_text() + f'\n[[gateway.routes]]\nname = "default"\n{slots}\n')
    with closing(Workbench(dict(os.environ)).monitoring) as monitoring:
        last = monitoring.snapshots.latest()["work"]
        monitoring.snapshots.amend(replace(last, models=("kimi-for-coding", "kimi-for-coding-highspeed")))
    ran = cli("doctor")
    assert ran.status == 0
    told = "PL-404-MODEL: api.kimi.com has no model 'kimi-for-codin' for work. Closest: kimi-for-coding."
    assert told in " ".join(ran.out.split())


def test_the_bundle_holds_no_secret(cli: Cli, work: Path, tmp_path: Path) -> None:
    (work.parent / "service.log").write_text(f"one line\nAuthorization: Bearer {KIMI_CN}\n")
    file = tmp_path / "report.zip"
    ran = cli("doctor", "--bundle", str(file))
    assert ran.status == 0
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(parts) == {"doctor.json", "versions.json", "configuration.json", "answers.json", "log.txt"}
    assert all(name in ran.err for name in parts)
    assert KIMI_CN not in "".join(parts.values())
    assert json.loads(parts["answers.json"])["work"][0]["body"]["usages"]["limit_5h"]["used_ratio"] == "float"
    assert json.loads(parts["configuration.json"])["accounts"][0]["key"] == "vault:…"
    assert parts["log.txt"].startswith("one line\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_bundle_that_cannot_be_written_is_wrong_usage(cli: Cli, work: Path, tmp_path: Path) -> None:
    ran = cli("doctor", "--bundle", str(tmp_path / "no" / "report.zip"))
    assert ran.status == 2
    assert "PL-USAGE" in ran.err


def test_chinese_has_as_many_lines(cli: Cli, work: Path) -> None:
    work.chmod(0o644)
    english, chinese = cli("doctor"), cli("doctor", "--lang", "zh-CN")
    assert len(english.out.splitlines()) == len(chinese.out.splitlines())
    assert "密钥有效，窗口 3 个，并发上限 30" in chinese.out


def test_every_check_has_its_own_place() -> None:
    places = [check.place for check in all_checks()]
    assert len(places) == len(set(places)) >= 15


def test_nothing_is_configured_and_nothing_breaks(cli: Cli, sandbox: SandboxThread) -> None:
    ran = cli("doctor")
    assert ran.status == 0
    assert "PL-ACCOUNT-NONE: No account yet." in ran.out
    assert "fix: perilune doctor --fix" in ran.out
    assert not Path(os.environ["PERILUNE_HOME"]).exists()


def test_a_channel_that_takes_nothing_is_told_and_nothing_is_sent(
    cli: Cli, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write_text(work.read_text() + '\n[[notify]]\nname = "team"\nchannel = "feishu"\nkey = "env:TEAM_BOT"\n')
    assert "PL-SECRET-READ" in _line(cli("doctor"), "team")
    monkeypatch.setenv("TEAM_BOT", "https://open.feishu.cn/open-apis/bot/v2/hook/EXAMPLE0001")
    assert "team: nothing was refused of late" in cli("doctor").out
    with closing(Workbench(dict(os.environ)).monitoring) as monitoring, monitoring.store.begin() as connection:
        for _ in range(3):
            deliveries.failed(connection, "team", [], datetime.now(UTC), "19021 sign match fail", None)
    ran = cli("doctor")
    assert "PL-NOTIFY: team" in _line(ran, "team")
    assert "EXAMPLE0001" not in ran.out
