"""Words of `perilune config`."""

MESSAGES = {
    "config.flag": "flag",
    "config.environment": "environment",
    "config.file": "file",
    "config.plan": "plan",
    "config.default": "default",
    "config.used": "used",
    "config.unset": "{key} is out of the file.",
    "config.not_set": "{key} was not in the file.",
    "config.no_file": "There is no {file}; every setting has its default.",
    "config.valid": "{file} is fine.",
    "config.editor_failed": "{editor} ended with status {status}.",
}
