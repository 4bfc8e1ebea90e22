"""Notes on settings that are odd."""

MESSAGES: dict[str, str] = {
    "PL-LINT-THINKING.what": "{slot}: {model} cannot stop thinking; off is sent as its least effort, or not at all.",
    "PL-LINT-THINKING.what.both": "{slot}: the body has both thinking and reasoning_effort; the vendor refuses that.",
    "PL-LINT-BUDGET.what": "{slot}: {model} has no token budget for thinking; budget_tokens {budget} is sent because you ask for it.",
    "PL-LINT-TEMPERATURE.what": "{slot}: {model} takes no other {parameter} than {fixed}; {value} will be refused.",
    "PL-LINT-EFFORT.what": "{slot}: {model} does not offer the effort {effort}, only {efforts}.",
    "PL-LINT-TOOLCHOICE.what": "{slot}: {model} refuses a forced tool while it thinks.",
    "PL-LINT-SHADOW.what": "{slot}: thinking {thinking} of the slot has no effect, its override sets {key}.",
    "PL-LINT-UNREACHED.what": "{slot}: {key} of the override does not reach the final body.",
    "PL-LINT-WINDOW.what": "{slot}: max_input_tokens {limit} is above the {context} tokens that {model} takes.",
}
