"""The command `perilune sandbox`."""

MESSAGES = {
    "sandbox.playing": (
        "Playing api.kimi.com, api.kimi.ai, api.moonshot.ai, api.moonshot.cn and more\n"
        "on {url}. Scenario {scenario}. No real service is contacted.\n"
        "  export PERILUNE_UPSTREAM={url}"
    ),
    "sandbox.authority": "The authority of its certificate; a client has to trust it:",
    "sandbox.keys": "Invented keys of this scenario, accepted here and nowhere else:",
    "sandbox.forges": "Played forges, each with one pull request. Write what you need into config.toml:",
}
