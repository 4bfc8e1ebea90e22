"""`HOST:PORT` as people write it."""


def parse_listen(text: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8787`, `[::1]:8787` or `:8787` (then every address); None when it is neither."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        return None
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], int(port)
    return None if ":" in host else (host or "0.0.0.0", int(port))  # noqa: S104 - what an empty host has always meant
