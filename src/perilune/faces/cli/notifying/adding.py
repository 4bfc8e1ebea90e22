"""Adding and removing channels: secrets into the vault, the rest into the configuration."""

from collections.abc import Iterator, Mapping
from typing import Any

from perilune.config.edit import append_table, unset
from perilune.config.file import edit_file
from perilune.config.load import parse
from perilune.config.notify_rules import NEEDS, is_channel_name, notify_problems
from perilune.config.schema import Config, NotifyConfig
from perilune.core.decoding import converted
from perilune.core.errors import ConfigError, UsageError
from perilune.core.keys import clean_key
from perilune.core.nearest import nearest
from perilune.core.secret import Secret
from perilune.faces.cli.notifying.services import NotifyServices
from perilune.faces.cli.session import Session

_VAULT = "vault:"
_COMMAND = "perilune notify add"
_ASKED = {  # what a person is asked for beside what a channel cannot do without
    "ntfy": ("key",),
    "feishu": ("key", "secret"),
    "dingtalk": ("key", "secret"),
    "webhook": ("secret",),
    "email": ("key",),
}


def add_channel(session: Session, fields: Mapping[str, Any], *, from_stdin: bool) -> None:
    """Save one channel. Raises: PL-USAGE, PL-CONFIG-VALUE; then nothing is kept."""
    services: NotifyServices = session.workbench
    name, channel = str(fields["name"]), str(fields["channel"])
    taken = [one.name for one in services.configuration().config.notify]
    if not is_channel_name(name) or name in taken:
        raise UsageError.of("PL-USAGE", variant="notify_taken" if name in taken else "notify_name", name=name[:80])
    given = {key: value for key, value in fields.items() if value}
    secrets = _secrets(session, given, from_stdin=from_stdin)
    for key in NEEDS[channel]:  # type: ignore[index] # click has checked the choice
        if key not in given and key not in secrets:
            option = "-- PROGRAM" if key == "command" else "--stdin" if key == "key" else f"--{key}"
            raise UsageError.of("PL-USAGE", variant="needs", command=_COMMAND, name=option)
    references = {key: _vault_name(name, key) for key in secrets}
    written = given | {key: f"{_VAULT}{reference}" for key, reference in references.items()}
    _check(services, written)
    for key, secret in secrets.items():
        services.vault.store(references[key], secret)
    try:
        edit_file(services.paths.config_file, lambda text: append_table(text, ("notify",), written))
    except BaseException:
        for reference in references.values():
            services.vault.remove(reference)
        raise


def remove_channel(services: NotifyServices, name: str) -> None:
    """Take a channel out of the file, its secrets out of the vault, what waits for it out of the store."""
    channel = find_channel(services, name)
    _take_out(services, name)
    for reference in (channel.key, channel.secret):
        if reference is not None and reference.startswith(f"{_VAULT}{_vault_name(name, 'key')}"):
            services.vault.remove(reference.removeprefix(_VAULT))
    services.forget_channel(name)


def find_channel(services: NotifyServices, name: str) -> NotifyConfig:
    """The channel of that name. Raises: PL-USAGE."""
    channels = {one.name: one for one in services.configuration().config.notify}
    if name not in channels:
        close = nearest(name, channels)
        variant = "notify_unknown" if close else "notify_unknown_far"
        raise UsageError.of("PL-USAGE", variant=variant, name=name[:80], nearest=close)
    return channels[name]


def _check(services: NotifyServices, written: Mapping[str, Any]) -> None:
    """Raises: PL-CONFIG-VALUE for what the file would not be read with."""
    config = services.configuration().config
    added = Config(notify=(converted(written, NotifyConfig, strict=False),))
    file_name = services.paths.config_file.name
    for problem in notify_problems(added, lambda path: file_name):
        raise ConfigError(problem)
    known = [account.name for account in config.accounts]
    for name in added.notify[0].accounts:
        if name not in known:
            choices = ", ".join(known) or "–"
            raise UsageError.of("PL-USAGE", variant="choice", option="--accounts", value=name[:80], choices=choices)


def _take_out(services: NotifyServices, name: str) -> None:
    def edit(text: str) -> str:
        channels = parse(text, services.paths.config_file.name).get("notify", [])
        index = next((index for index, channel in enumerate(channels) if channel.get("name") == name), None)
        return text if index is None else unset(text, ("notify", index))

    edit_file(services.paths.config_file, edit)


def _secrets(session: Session, given: Mapping[str, Any], *, from_stdin: bool) -> dict[str, Secret]:
    """The secrets of a channel from standard input, one a line, or from a person; those with a reference are there."""
    channel = str(given["channel"])
    needed = [key for key in NEEDS[channel] if key == "key"]  # type: ignore[index] # click has checked the choice
    asked = [key for key in _ASKED.get(channel, needed) if key not in given]
    if channel == "email" and "user" not in given:
        asked = []
    texts: Iterator[str] = iter(())
    if from_stdin:
        texts = iter(session.stdin.read().splitlines())
    elif session.is_interactive:
        texts = _told(session, channel, asked)
    found = ((key, clean_key(text)) for key, text in zip(asked, texts, strict=False))
    return {key: Secret(text) for key, text in found if text}


def _told(session: Session, channel: str, asked: list[str]) -> Iterator[str]:
    from perilune.faces.cli.prompt import ask_hidden

    for key in asked:
        yield ask_hidden(session, session.voice.say(f"notify.ask.{channel}.{key}"))


def _vault_name(name: str, key: str) -> str:
    """Where a channel's secret is kept: a colon stands in no account's name."""
    return f"notify:{name}" if key == "key" else f"notify:{name}:sign"
