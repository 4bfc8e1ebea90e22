"""The command line of `perilune statusline`, read without a parser."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TARGETS = (
    "plain",
    "tmux",
    "starship",
    "waybar",
    "i3bar",
    "i3status-rs",
    "polybar",
    "xbar",
    "swiftbar",
    "claude",
    "kimi",
)
_SWITCHES = {
    "--all": "is_all",
    "--once": "is_once",
    "--ascii": "is_ascii",
    "--no-color": "is_colourless",
    "--no-input": "",
    "--quiet": "",
    "-q": "",
    "--verbose": "",
    "-v": "",
}
_VALUES = {"--for": "target", "--account": "account", "--format": "template", "--lang": "lang", "--tz": "zone"}


class Options:
    """What was asked for. `fault` is a message id and its facts when the line could not be read."""

    def __init__(self) -> None:
        self.target = "plain"
        self.account: str | None = None
        self.template: str | None = None
        self.lang: str | None = None
        self.zone: str | None = None
        self.percent: str | None = None
        self.is_all = self.is_once = self.is_ascii = self.is_colourless = False
        self.fault: tuple[str, dict[str, str]] | None = None


def read_options(arguments: Sequence[str]) -> Options | None:
    """The options of a command line; None when it asks for help. What is wrong is kept beside the rest."""
    options = Options()
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        name, equals, value = argument.partition("=")
        if argument in ("-h", "--help"):
            return None
        if argument in _SWITCHES:
            setattr(options, _SWITCHES[argument] or "_", True)
        elif argument in ("--used", "--left"):
            options.percent = argument[2:]
        elif name not in _VALUES:
            options.fault = ("statusline.usage.option", {"name": argument})
        elif equals or waiting:
            setattr(options, _VALUES[name], value if equals else waiting.pop(0))
        else:
            options.fault = ("statusline.usage.value", {"option": name})
    if options.target not in TARGETS:
        choices = ", ".join(TARGETS)
        options.fault = ("statusline.usage.target", {"name": options.target, "choices": choices})
        options.target = "plain"
    return options
