"""来自别处或无法使用的设置。"""

MESSAGES = {
    "migration.from": "设置来自基准提交的 {file}。写成 .perilune.toml 即：",
    "migration.left": "未转换：{keys}。",
    "migration.defaults": "未使用仓库的设置，按默认值审查：{problem}",
}
