"""Words used everywhere."""

MESSAGES = {
    "common.vendor_says": 'The vendor says: "{words}"',
    "common.sandbox": "SANDBOX: answers come from {upstream}",
    "common.error": "error",
    "common.warning": "warning",
    "common.tried": "tried",
    "common.why": "why",
    "common.fix": "fix",
    "common.note": "note",
}
