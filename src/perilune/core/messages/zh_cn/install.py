"""`perilune install`."""

MESSAGES = {
    "install.nothing_written": "尚未写入。写入：{command}",
    "install.backup": "备份将存为 {file}",
    "install.backup_kept": "备份：{file}",
    "install.written": "已写入：{file}",
    "install.same": "已经就位，无需改动：{file}",
    "install.undone": "已从 {file} 取出我们的内容",
    "install.removed": "{file} 全部由我们写入，已删除",
    "install.changed_since": "{file} 此后有过改动；他人所写的保留",
    "install.nothing_there": "{file} 中没有我们的内容",
    "install.paste": "手动写入 {file}；其中现有的内容由你决定保留或替换。",
    "install.unfit": "无法编辑 {file}：{why}",
    "install.no_service": "该系统既没有 systemd 也没有 launchd",
    "install.note.tmux": "然后运行 tmux source-file，或重新启动 tmux",
    "install.note.polybar": "然后把 perilune 加入 modules-right",
    "install.note.waybar": '然后把 "custom/perilune" 加入 modules-right',
    "install.no_repository": "这里不是 git 仓库",
    "install.note.git_hook": "跳过一次：PERILUNE_SKIP_HOOK=1 git push",
    "install.note.systemd": "然后：systemctl --user enable --now perilune",
    "install.note.launchd": "然后用 launchctl load 载入该文件",
}
