"""Writes docs/reference/ from the program itself; `--check` says whether what is there is current."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from perilune.core.codes import CODES
from perilune.core.messages import message
from scripts import _program

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
_EXITS = {
    0: "a note or warning: the exit status is not changed",
    1: "failed, or the condition asked for does not hold",
    2: "wrong usage or bad configuration",
    4: "no credential, or the credential was refused",
    5: "quota or balance spent, or no membership",
    69: "could not be checked",
}
# What each variable means; a name that the program reads and this table does not have fails the check.
VARIABLES = {
    "PERILUNE_HOME": "one folder for configuration and data",
    "PERILUNE_TOKEN": "the token that every address other than loopback asks for",
    "PERILUNE_MASTER_KEY": "the key that opens the vault, where no file may hold it",
    "PERILUNE_DATABASE_URL": "the database, when it is not the file in the data folder",
    "PERILUNE_REDIS_URL": "shared caps between machines",
    "PERILUNE_GATEWAY_KEY": "the gateway key that Codex sends, by the settings of `perilune gateway env codex`",
    "PERILUNE_EVENT": "given to the program of an `exec` channel: what happened",
    "PERILUNE_ACCOUNT": "given to the same program: the account it is about, or nothing",
    "PERILUNE_WINDOW": "given to the same program: the window it is about, or nothing",
    "KIMI_SHARE_DIR": "where the older Kimi CLI keeps its login",
    "PERILUNE_LANG": "language: en or zh-CN",
    "PERILUNE_UPSTREAM": "a loopback address that stands for every official host; the sandbox and tests use it",
    "MOONSHOT_API_KEY": "a Moonshot key; wins over MOONSHOT_KEY",
    "MOONSHOT_KEY": "a Moonshot key",
    "MOONSHOT_REGION": "its region: cn or intl",
    "KIMI_CODE_API_KEY": "a Kimi Code key",
    "KIMI_CODE_BASE_URL": "the address it belongs to",
    "KIMI_CODE_HOME": "where the vendor's command line keeps its login",
    "KIMI_CODE_OAUTH_HOST": "the login host of the vendor's command line",
    "KIMI_OAUTH_HOST": "the same, older name",
    "KIMI_CODE_REGION_MARKER": "off: the region file of the vendor's command line is not read",
    "KIMI_AUTH_TOKEN": "a web session's token",
    "KIMI_MANUAL_COOKIE": "a web session's cookie, as pasted",
    "KIMI_API_KEY": "found by `perilune discover`, never used: it belongs to other programs",
    "KIMI_K2_API_KEY": "a key of the unofficial relay kimi-k2.ai; taken only when the plan `kimi-k2` is named",
    "CODEXBAR_CONFIG": "where CodexBar keeps its configuration",
    "API_LLM_PROVIDER_MODEL": "fixed mode: the model",
    "API_OPENAI_FORCE_BASE_URL": "fixed mode: the address",
    "API_OPEN_AI_API_KEY": "fixed mode: the key",
    "ANTHROPIC_BASE_URL": "with an official host, the account that ANTHROPIC_AUTH_TOKEN belongs to",
    "ANTHROPIC_AUTH_TOKEN": "see ANTHROPIC_BASE_URL",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def cli() -> Iterator[str]:
    yield "# Commands\n"
    for path, page in _program.help_pages():
        yield f"## {path}\n\n```text\n{page.rstrip()}\n```\n"


def configuration() -> Iterator[str]:
    yield "# Configuration\n"
    yield "`config.toml` in the configuration folder (`perilune config path`). Unknown keys are errors."
    yield "`[]` marks a list of tables.\n"
    yield "| Key | Value | Default | Environment |\n|---|---|---|---|"
    for setting in _program.settings():
        variable = f"`{setting.variable}`" if setting.variable else "–"
        default = setting.default if setting.default in ("–", "required") else f"`{setting.default}`"
        yield f"| `{setting.key}` | {_cell(setting.type)} | {default} | {variable} |"
    yield ""


def codes() -> Iterator[str]:
    yield "# Codes\n"
    yield "The long form of each, in your language: `perilune explain CODE`. A code is never reused or renamed.\n"
    for status in sorted(set(CODES.values())):
        yield f"## Exit status {status}: {_EXITS[status]}\n"
        yield "| Code | What it says |\n|---|---|"
        for code in (code for code, its_status in CODES.items() if its_status == status):
            what = message("en", f"{code}.what") or message("en", f"{code}.title") or "–"
            yield f"| `{code}` | {_cell(what)} |"
        yield ""


def environment() -> Iterator[str]:
    yield "# Environment\n"
    yield "Every setting has a variable of its own, listed in [the configuration](configuration.md). These stand beside"
    yield "them.\n"
    yield "| Variable | Meaning |\n|---|---|"
    read = _program.variables_in_source()
    for name, meaning in VARIABLES.items():
        if name in read:
            yield f"| `{name}` | {meaning} |"
    yield ""


def undescribed_variables() -> set[str]:
    """Variables that the program reads and no table explains."""
    settings = {setting.variable for setting in _program.settings()}
    return _program.variables_in_source() - VARIABLES.keys() - settings


PAGES = {"cli.md": cli, "configuration.md": configuration, "codes.md": codes, "environment.md": environment}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/docs", description="Write docs/reference/ from the program.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is not current")
    options = parser.parse_args(arguments)
    faults = [f"no table explains the variable {name}" for name in sorted(undescribed_variables())]
    for name, page in PAGES.items():
        text = "\n".join(page()).rstrip() + "\n"
        path = REFERENCE / name
        if not options.check:
            REFERENCE.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            faults.append(f"{path.relative_to(ROOT)} is not what the program says; run ./scripts/docs")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
