"""Redaction: what looks like a credential or a vendor's internal id is replaced before text leaves the program."""

import re

MASK = "[redacted]"

_VALUE = r"[^\s\"',;}&]+"
_COOKIE = re.compile(r"(?i)(\b(?:set-)?cookie[\"']?\s{0,9}[:=]\s{0,9}[\"']?)[^\r\n\"']+")
_KEYED = re.compile(
    r"(?i)(\b(?:access_token|refresh_token|id_token|device_code|api[_-]?key|kimi-auth|x-api-key|authorization|password"
    rf"|client[_-]?secret)[\"']?\s{{0,9}}[:=]\s{{0,9}}[\"']?)((?:(?:bearer|basic|token)\s{{1,9}})?{_VALUE})",
)
_BEARER = re.compile(rf"(?i)(\bbearer\s{{1,9}}){_VALUE}")
_QUERY = re.compile(r"(?i)([?&](?:key|token|sig|signature|auth)=)[^\s&\"'#]+")
_USER_INFO = re.compile(r"(://)[^\s/@\"']{1,512}@")
# Whole runs, from their beginning: a pattern that may begin anywhere in a long run takes quadratic time.
_DOTTED_RUN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_PREFIXED = (  # a key may stand right behind a colour sequence, ESC[31m
    re.compile(r"(?:\b|(?<=\dm))(?:sk|plk|gh[oprsu]|github_pat|glpat|xox[bp])[-_][A-Za-z0-9_-]{4,}"),
    re.compile(r"\b(?:org|ak)-[A-Za-z0-9_-]{3,}"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MOST_READ = 8192


def redact(text: str) -> str:
    """The text with keys, tokens, cookies and organisation ids replaced by a mask."""
    for keyed in (_COOKIE, _KEYED, _BEARER, _QUERY):
        text = keyed.sub(lambda match: match[1] + MASK, text)
    text = _USER_INFO.sub(lambda match: f"{match[1]}{MASK}@", text)
    text = _DOTTED_RUN.sub(_without_token, text)
    for pattern in _PREFIXED:
        text = pattern.sub(MASK, text)
    return text


def _without_token(match: re.Match[str]) -> str:
    """A dotted run without the JSON web token in it, which begins with the base64 of `{"`."""
    before, begins, _ = match[0].partition("eyJ")
    return before + MASK if begins else match[0]


def vendor_words(text: str, limit: int = 160) -> str:
    """A vendor's sentence fit to be quoted once: redacted, one line, control characters visible, at most `limit`."""
    one_line = " ".join(redact(text[:_MOST_READ]).split())
    visible = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", one_line)
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"
