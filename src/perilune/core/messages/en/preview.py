"""What would leave for a slot."""

MESSAGES: dict[str, str] = {
    "preview.head": "{slot}  {surface}",
    "preview.same": "as the client sent it: {keys}",
    "preview.cause.override": "override",
    "preview.cause.slot": "slot",
    "preview.cause.rule": "rule",
    "preview.adjusted": "reported to the client: {adjusted}",
    "preview.override.set": "{slot}: override {override}",
    "preview.override.removed": "{slot}: override removed",
}
