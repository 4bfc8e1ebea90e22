"""The help pages of `perilune install`."""

MESSAGES = {
    "help_install.more": (
        "Shows what would change in another program's file. --yes writes it and keeps a copy; --undo tak"
        "es out our own lines and leaves what others wrote."
    ),
    "help_install.examples": "perilune install statusline --for tmux\nperilune install service --yes",
    "help_install.exits": "0 2",
    "help_install.statusline.more": (
        "Shows what would change in another program's file. --yes writes it and keeps a copy; --undo tak"
        "es out our own lines and leaves what others wrote."
    ),
    "help_install.statusline.examples": (
        "perilune install statusline --for kimi\nperilune install statusline --for kimi --yes"
    ),
    "help_install.statusline.exits": "0 2",
    "help_install.statusline.option.host": (
        "waybar, claude, kimi, tmux, starship, i3status-rs, polybar, i3bar (swaybar too), xbar, swiftbar"
    ),
    "help_install.statusline.option.yes": "write it",
    "help_install.statusline.option.undoes": "take our own lines out again",
    "help_install.waybar.more": "A custom module in Waybar's configuration and its colours in style.css.",
    "help_install.waybar.examples": "perilune install waybar\nperilune install waybar --undo",
    "help_install.waybar.exits": "0 2",
    "help_install.waybar.option.yes": "write it",
    "help_install.waybar.option.undoes": "take our own lines out again",
    "help_install.service.more": "A systemd unit of the user, or a launchd agent.",
    "help_install.service.examples": "perilune install service --yes",
    "help_install.service.exits": "0 2",
    "help_install.service.option.yes": "write it",
    "help_install.service.option.undoes": "take our own lines out again",
}
