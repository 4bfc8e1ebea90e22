"""Where a request goes: an address taken apart once, so that the hot path only writes it."""

from urllib.parse import urlsplit

from msgspec import Struct


class Target(Struct, frozen=True):
    """Scheme, host, port and request target of one URL. `is_guarded` asks for the address guard on each connection."""

    scheme: str
    host: str
    port: int
    path: str
    is_guarded: bool = False

    @classmethod
    def of(cls, url: str, *, is_guarded: bool = False) -> "Target":
        """The target of an absolute http or https URL. Raises: ValueError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError(f"not an address a request can go to: {parts.scheme}://{parts.hostname}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, parts.hostname, port, path, is_guarded)

    @property
    def key(self) -> tuple[str, str, int, bool]:
        """What connections are pooled by."""
        return (self.scheme, self.host, self.port, self.is_guarded)

    @property
    def host_header(self) -> str:
        """The `Host` header: the name, with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"
