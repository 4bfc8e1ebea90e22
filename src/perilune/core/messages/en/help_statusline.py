"""The help page of `perilune statusline`."""

MESSAGES = {
    "help_statusline.more": (
        "Reads what is stored, never the network; a stale reading is renewed beside it. Always prints and exits 0."
    ),
    "help_statusline.option.target": (
        "plain, tmux, starship, waybar, i3bar (swaybar too), i3status-rs, polybar, xbar, swiftbar, claude, kimi"
    ),
    "help_statusline.option.account": "this account; else the first route's main, else the one with the least left",
    "help_statusline.option.template": (
        "own text; tokens stand in braces: bind.pct bind.left bind.reset bind.at, the same with 5h 7d month,"
        " pace empty_at balance state glyph age route account"
    ),
    "help_statusline.option.percent": "percent used, or percent left",
    "help_statusline.option.is_all": "one block for each account (i3bar)",
    "help_statusline.option.is_once": "one block without the endless stream (i3bar)",
    "help_statusline.examples": (
        "perilune statusline\n"
        "perilune statusline --for waybar\n"
        "perilune statusline --left --account work\n"
        "perilune install statusline --for tmux"
    ),
    "help_statusline.exits": "0",
    "help_statusline.environment": "PERILUNE_HOME PERILUNE_LANG NO_COLOR",
}
