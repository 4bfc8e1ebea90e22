"""The help page of `perilune review`."""

MESSAGES = {
    "help_review.more": "Reviews the working tree, the index, a range, a commit or a patch. The plan is made from what the account has left and is told before the first request. Rules come from REVIEW.md, AGENTS.md and CLAUDE.md of the base commit, settings from its .perilune.toml.",
    "help_review.examples": "perilune review --preview\nperilune review --staged --fail-on high\nperilune review --range main..topic --format json\ngit diff | perilune review --diff -\nperilune review --pr https://github.com/OWNER/REPO/pull/N --dry-run",
    "help_review.exits": "0 1 2 4 5 69 130",
    "help_review.schema": "perilune.review.v1",
    "help_review.option.paths": "only these files and folders",
    "help_review.option.staged": "what is staged, against HEAD",
    "help_review.option.range_": "from where both ends parted up to B",
    "help_review.option.commit": "one commit, against its first parent",
    "help_review.option.diff": "a patch from a file, or - for standard input",
    "help_review.option.output": "text, json, jsonl, markdown, sarif, rdjson, gitlab, github or patch",
    "help_review.option.fail_on": "exit 1 for findings at or above this severity",
    "help_review.option.severity": "lowest severity shown on a line",
    "help_review.option.effort": "low, medium or high",
    "help_review.option.preview": "the plan alone: no request, nothing written",
    "help_review.option.dry_run": "print what would be published; nothing is written to a forge",
    "help_review.option.resume": "go on with the newest unfinished run of this input",
    "help_review.option.pr": "a pull or merge request of a configured forge; published there",
    "help_review.option.only": "with --format patch: only these findings",
}
