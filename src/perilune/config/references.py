"""The shape of key references: whether a text says where a secret is, and is not the secret itself."""

_KINDS = ("vault", "env", "file", "cmd", "keyring")


def has_reference_shape(reference: str) -> bool:
    """Whether a text is a key reference (`vault:NAME`, `env:NAME` …) and not a key."""
    kind, colon, target = reference.partition(":")
    return bool(colon) and kind in _KINDS and bool(target.strip())
