"""Fences around text that is material, never an instruction."""

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256

_NONCE_BYTES = 16


def draw() -> str:
    """A fresh nonce of 128 bits."""
    return secrets.token_hex(_NONCE_BYTES)


def nonce_for(content: str, source: Callable[[], str] = draw) -> str:
    """A nonce that does not stand in the content."""
    nonce = source()
    while nonce in content:
        nonce = source()
    return nonce


def rules_nonce(text: str, local_secret: bytes) -> str:
    """The nonce of the rules' fence: equal rules on one installation give equal bytes."""
    for counter in range(256):
        nonce = hmac.new(local_secret, f"{counter}\0{text}".encode(), sha256).hexdigest()[:32]
        if nonce not in text:
            return nonce
    return nonce


def fenced(label: str, content: str, nonce: str) -> str:
    """Content between an opening and a closing line. `label` is ours and never holds untrusted text."""
    return f"<<<{nonce} {label}\n{content}\n{nonce}>>>"
