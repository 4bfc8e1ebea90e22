"""Answers to commands in comments."""

MESSAGES = {
    "pull.nothing_new": "{head} is reviewed already. To buy a review of it again, ask for `review --force`.",
    "pull.no_finding": "This is said in the thread of a finding, as a reply.",
    "pull.help": "Commands, each behind an at sign and the name of this bot, by members with write access:",
    "pull.help.review": "review the present head; `--force` buys it again; any other words say what matters most",
    "pull.help.explain": "in the thread of a finding: why it was said",
    "pull.help.dismiss": "in the thread of a finding: not wanted, and its like not for 90 days",
    "pull.help.resolve": "in the thread of a finding: settled",
    "pull.help.reopen": "in the thread of a finding: not settled after all",
    "pull.help.pause": "no automatic reviews of this pull request",
    "pull.help.resume": "automatic reviews again",
    "pull.help.stop": "end the review that is running",
    "pull.help.status": "what is open, what was reviewed last, what is left to review with",
    "pull.help.config": "the settings in force",
    "pull.help.help": "this list",
    "pull.paused": "Automatic reviews of this pull request are paused.",
    "pull.last": "Last reviewed: {head}, {at}.",
    "pull.quota": "Slot {slot}, {window}: {used} used.",
    "pull.open": "Open findings: {count}.",
    "pull.config": "The settings in force:",
}
