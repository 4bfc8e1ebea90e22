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
    "help_install.git-hook.more": (
        "A pre-push or pre-commit hook of the repository you are in. It reviews what is pushed or staged and stops on "
        "findings at or above the severity. Without a key, quota or network it says so and lets go on. "
        "A hook that is there already is kept and called first."
    ),
    "help_install.git-hook.examples": (
        "perilune install git-hook\nperilune install git-hook --pre-commit --fail-on critical --yes"
    ),
    "help_install.git-hook.exits": "0 2",
    "help_install.git-hook.option.name": "which hook; pre-push unless said",
    "help_install.git-hook.option.fail_on": "the lowest severity that stops",
    "help_install.git-hook.option.strict": "stop, too, when nothing could be reviewed",
    "help_install.git-hook.option.dry_run": "only show it",
    "help_install.git-hook.option.yes": "write it",
    "help_install.git-hook.option.undoes": "take our own hook out again",
    "help_install.ci.more": (
        "A ready workflow (GitHub) or job (GitLab) that reviews every pull or merge request, publishes on it and hands in the report. The key comes from the forge's own secrets; a fork's request is reviewed without publishing."
    ),
    "help_install.ci.examples": "perilune install ci github\nperilune install ci gitlab --yes",
    "help_install.ci.exits": "0 2",
    "help_install.ci.option.dry_run": "only show it",
    "help_install.ci.option.yes": "write it",
    "help_install.ci.option.undoes": "take our own lines out again",
    "help_install.service.more": "A systemd unit of the user, or a launchd agent.",
    "help_install.service.examples": "perilune install service --yes",
    "help_install.service.exits": "0 2",
    "help_install.service.option.yes": "write it",
    "help_install.service.option.undoes": "take our own lines out again",
}
