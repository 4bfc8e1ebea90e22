"""Errors of our own house: the sandbox."""

MESSAGES = {
    "PL-SANDBOX.what": "PERILUNE_UPSTREAM must be a loopback address.",
    "PL-SANDBOX.what.listen": "The sandbox cannot listen on {address}: only on this machine.",
    "PL-SANDBOX.what.address": "'{address}' is not an address of the form HOST:PORT.",
    "PL-SANDBOX.what.scenario": "The scenario {scenario} cannot be played: {reason}.",
    "PL-SANDBOX.why.listen": "It takes any invented key and has no login.",
    "PL-SANDBOX.fix.1": "unset PERILUNE_UPSTREAM",
    "PL-SANDBOX.fix.1.listen": "perilune sandbox --listen 127.0.0.1:9009",
    "PL-SANDBOX.fix.1.address": "perilune sandbox --listen 127.0.0.1:9009",
    "PL-SANDBOX.fix.1.scenario": "perilune sandbox --help",
}
