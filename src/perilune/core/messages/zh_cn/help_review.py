"""The help page of `perilune review`."""

MESSAGES = {
    "help_review.more": "审查工作区、暂存区、范围、提交或补丁。先按账号余量安排，并在第一次请求之前说明。规则取自基准提交中的 REVIEW.md、AGENTS.md 和 CLAUDE.md，设置取自其中的 .perilune.toml。",
    "help_review.examples": "perilune review --preview\nperilune review --staged --fail-on high\nperilune review --range main..topic --format json\ngit diff | perilune review --diff -\nperilune review --pr https://github.com/OWNER/REPO/pull/N --dry-run",
    "help_review.exits": "0 1 2 4 5 69 130",
    "help_review.schema": "perilune.review.v1",
    "help_review.option.paths": "只看这些文件和文件夹",
    "help_review.option.staged": "已暂存的改动，与 HEAD 比较",
    "help_review.option.range_": "从两端分叉处到 B",
    "help_review.option.commit": "一个提交，与其第一个父提交比较",
    "help_review.option.diff": "来自文件的补丁，- 表示标准输入",
    "help_review.option.output": "text、json、jsonl、markdown、sarif、rdjson、gitlab、github 或 patch",
    "help_review.option.fail_on": "有该严重程度及以上的发现时退出码为 1",
    "help_review.option.severity": "标在行上的最低严重程度",
    "help_review.option.effort": "low、medium 或 high",
    "help_review.option.preview": "只看安排：不发请求，不写任何内容",
    "help_review.option.dry_run": "只打印将发布的内容，不写入任何平台",
    "help_review.option.resume": "继续该输入最近一次未完成的审查",
    "help_review.option.pr": "已配置平台上的合并请求，结果会发布到那里",
    "help_review.option.only": "配合 --format patch：仅这些发现",
}
