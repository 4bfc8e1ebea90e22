"""The help pages of `perilune install`."""

MESSAGES = {
    "help_install.more": "显示将对其他程序的文件作何改动。--yes 写入并留备份；--undo 取出我们的内容，他人所写的保留。",
    "help_install.examples": "perilune install statusline --for tmux\nperilune install service --yes",
    "help_install.exits": "0 2",
    "help_install.statusline.more": "显示将对其他程序的文件作何改动。--yes 写入并留备份；--undo 取出我们的内容，他人所写的保留。",
    "help_install.statusline.examples": (
        "perilune install statusline --for kimi\nperilune install statusline --for kimi --yes"
    ),
    "help_install.statusline.exits": "0 2",
    "help_install.statusline.option.host": (
        "waybar、claude、kimi、tmux、starship、i3status-rs、polybar、i3bar（含 swaybar）、xbar、swiftbar"
    ),
    "help_install.statusline.option.yes": "写入",
    "help_install.statusline.option.undoes": "取出我们的内容",
    "help_install.waybar.more": "Waybar 配置中的自定义模块，以及 style.css 中的颜色。",
    "help_install.waybar.examples": "perilune install waybar\nperilune install waybar --undo",
    "help_install.waybar.exits": "0 2",
    "help_install.waybar.option.yes": "写入",
    "help_install.waybar.option.undoes": "取出我们的内容",
    "help_install.git-hook.more": (
        "为当前仓库安装 pre-push 或 pre-commit 钩子：审查要推送或已暂存的内容，发现达到该级别的问题时停止。"
        "没有密钥、额度或网络时说明一句并放行。已有的钩子会保留，并先被调用。"
    ),
    "help_install.git-hook.examples": (
        "perilune install git-hook\nperilune install git-hook --pre-commit --fail-on critical --yes"
    ),
    "help_install.git-hook.exits": "0 2",
    "help_install.git-hook.option.name": "哪个钩子；默认 pre-push",
    "help_install.git-hook.option.fail_on": "达到该级别就停止",
    "help_install.git-hook.option.strict": "无法审查时也停止",
    "help_install.git-hook.option.dry_run": "只显示",
    "help_install.git-hook.option.yes": "写入",
    "help_install.git-hook.option.undoes": "撤掉我们的钩子",
    "help_install.ci.more": (
        "写入现成的工作流（GitHub）或作业（GitLab）：审查每个合并请求、发布结果并上传报告。密钥来自平台自己的机密；来自复刻仓库的请求只审查、不发布。"
    ),
    "help_install.ci.examples": "perilune install ci github\nperilune install ci gitlab --yes",
    "help_install.ci.exits": "0 2",
    "help_install.ci.option.dry_run": "只显示",
    "help_install.ci.option.yes": "写入",
    "help_install.ci.option.undoes": "撤掉我们的内容",
    "help_install.service.more": "systemd 用户单元，或 launchd 代理。",
    "help_install.service.examples": "perilune install service --yes",
    "help_install.service.exits": "0 2",
    "help_install.service.option.yes": "写入",
    "help_install.service.option.undoes": "取出我们的内容",
}
