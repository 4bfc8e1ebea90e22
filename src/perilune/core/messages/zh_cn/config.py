"""Words of `perilune config`."""

MESSAGES = {
    "config.flag": "参数",
    "config.environment": "环境变量",
    "config.file": "文件",
    "config.plan": "套餐",
    "config.default": "默认",
    "config.used": "生效",
    "config.unset": "已从文件中去掉 {key}",
    "config.not_set": "文件中没有 {key}",
    "config.no_file": "没有 {file}，全部使用默认值",
    "config.valid": "{file} 没有问题",
    "config.editor_failed": "{editor} 以状态 {status} 结束",
}
