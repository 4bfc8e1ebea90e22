"""What is said of settings that come from elsewhere, or that cannot be used."""

MESSAGES = {
    "migration.from": "Settings come from {file} at the base. The same as .perilune.toml:",
    "migration.left": "Not carried: {keys}.",
    "migration.defaults": "The repository's settings are not used and defaults hold: {problem}",
}
