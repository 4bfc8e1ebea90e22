"""How a request leaves for an Anthropic-compatible endpoint: with the key where that host wants it."""

from perilune.providers.contract.send import choose_surface, client_headers, refuse_before, shape

__all__ = ["auth_header", "choose_surface", "client_headers", "refuse_before", "shape"]

OWN_HOST = "api.anthropic.com"


def auth_header(host: str, configured: str | None) -> str:
    """`x-api-key` for Anthropic's own host, Bearer elsewhere, unless the account says otherwise."""
    if configured is not None:
        return "x-api-key" if configured == "x-api-key" else "authorization"
    return "x-api-key" if host == OWN_HOST else "authorization"
