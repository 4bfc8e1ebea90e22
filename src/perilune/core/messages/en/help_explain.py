"""The help page of `perilune explain`."""

MESSAGES = {
    "help_explain.more": "In any case, with or without PL-. Without a code: all of them.",
    "help_explain.examples": "perilune explain PL-QUOTA-5H\nperilune explain 401-key --json",
    "help_explain.exits": "0 2",
    "help_explain.environment": "PERILUNE_LANG",
}
