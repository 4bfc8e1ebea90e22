"""Words of the first run."""

MESSAGES = {
    "start.found": "No account yet. Found on this machine (nothing sent, nothing copied):",
    "start.which": "Use which? [{numbers}, all, none] (all): ",
    "start.not_taken": "{where} is not taken: add an API key instead: perilune add",
    "start.nothing": "No account yet, and no Kimi or Moonshot credential on this machine.\n"
    "  Paste a key:        perilune add\n"
    "  Where to get one:   Kimi Code  kimi.com/code/console  or  kimi.ai/code/console\n"
    "                      Moonshot   platform.kimi.com      or  platform.kimi.ai\n"
    "  Look around first:  perilune up --demo --open",
}
