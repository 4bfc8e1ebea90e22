"""The help page of `perilune sandbox`."""

MESSAGES = {
    "help_sandbox.more": (
        "Plays the vendors' services on this machine, with invented keys, for trying things out and for tests. "
        "Stop it with Ctrl-C. With PERILUNE_UPSTREAM set to its address, every other command asks it in place "
        "of the real hosts."
    ),
    "help_sandbox.examples": (
        "perilune sandbox\n"
        "perilune sandbox --scenario spent-5h\n"
        "perilune sandbox --listen 127.0.0.1:9010 --scenario ./mine.toml"
    ),
    "help_sandbox.exits": "0 1 2 130",
    "help_sandbox.option.listen": "address and port on this machine",
    "help_sandbox.option.tls": "answer over TLS, with this kind of certificate",
    "help_sandbox.option.scenario": "a name or a TOML file",
    "help_sandbox.option.with_forges": "also play GitHub, GitLab and Gitea, each with one pull request",
}
