"""Redaction: what looks like a credential or a vendor's internal id is replaced before text leaves the program."""

import re

MASK = "[redacted]"

_PATTERNS = (
    re.compile(r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"),
    re.compile(r"\b(?:sk|plk|ghp|gho|glpat|xoxb|xoxp)[-_][A-Za-z0-9_-]{4,}"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{8,}"),
    re.compile(r"\b(?:org|ak)-[A-Za-z0-9_-]{3,}"),
)
_KEYED = re.compile(
    r"(?i)(\b(?:access_token|refresh_token|device_code|api[_-]?key|kimi-auth|set-cookie|cookie|x-api-key|authorization)"
    r"[\"']?\s*[:=]\s*[\"']?)((?:bearer\s+)?[^\s\"',;}&]+)",
)
_BEARER = re.compile(r"(?i)(\bbearer\s+)[^\s\"',;}]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def redact(text: str) -> str:
    """The text with keys, tokens, cookies and organisation ids replaced by a mask."""
    text = _KEYED.sub(lambda match: match[1] + MASK, text)
    text = _BEARER.sub(lambda match: match[1] + MASK, text)
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    return text


def vendor_words(text: str, limit: int = 160) -> str:
    """A vendor's sentence fit to be quoted: redacted, one line, control characters visible, at most `limit` long."""
    one_line = " ".join(redact(text).split())
    visible = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", one_line)
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"
