"""Keys as people set and paste them: what may be stripped off, and what a key may hold."""

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u180e"))
_QUOTES = ('"', "'")


def clean_key(text: str) -> str:
    """A key without what surrounds it: white space, byte-order mark, zero-width characters, one pair of quotes."""
    text = text.translate(_INVISIBLE).strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in _QUOTES:
        text = text[1:-1].strip()
    return text


def has_key_shape(key: str) -> bool:
    """Whether a key is printable ASCII without white space, as every header demands."""
    return bool(key) and all("!" <= character <= "~" for character in key)
