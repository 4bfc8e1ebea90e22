"""The help page of `perilune statusline`."""

MESSAGES = {
    "help_statusline.more": "只读取已存的数据，不访问网络；数据过时则另行刷新。总会输出一行，退出码总为 0。",
    "help_statusline.option.target": (
        "plain、tmux、starship、waybar、i3bar（含 swaybar）、i3status-rs、polybar、xbar、swiftbar、claude、kimi"
    ),
    "help_statusline.option.account": "该账号；否则为第一条路由的主用账号，再否则为余量最少的账号",
    "help_statusline.option.template": (
        "自定文本，记号写在花括号里：bind.pct bind.left bind.reset bind.at, the same with 5h 7d month,"
        " pace empty_at balance state glyph age route account"
    ),
    "help_statusline.option.percent": "已用百分比，或剩余百分比",
    "help_statusline.option.is_all": "每个账号一块（i3bar）",
    "help_statusline.option.is_once": "只输出一块，不进入持续输出（i3bar）",
    "help_statusline.examples": (
        "perilune statusline\n"
        "perilune statusline --for waybar\n"
        "perilune statusline --left --account work\n"
        "perilune install statusline --for tmux"
    ),
    "help_statusline.exits": "0",
    "help_statusline.environment": "PERILUNE_HOME PERILUNE_LANG NO_COLOR",
}
