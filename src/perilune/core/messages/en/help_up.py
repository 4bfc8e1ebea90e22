"""The help page of `perilune up`."""

MESSAGES = {
    "help_up.more": "Runs until it is stopped. With no account yet, the page asks for a key and shows a marked demo.",
    "help_up.examples": "perilune up --open\nperilune up --demo\nperilune up --listen 127.0.0.1:9787",
    "help_up.exits": "0 1 2",
    "help_up.environment": "PERILUNE_HOME PERILUNE_TOKEN PERILUNE_SECTION_KEY PERILUNE_UPSTREAM",
    "help_up.option.listen": "where to listen; beyond this machine a token is needed",
    "help_up.option.opens": "open the page in the browser",
    "help_up.option.demo": "a marked story played by the sandbox; nothing is kept",
    "help_up.option.token_file": "a file that holds the token",
}
