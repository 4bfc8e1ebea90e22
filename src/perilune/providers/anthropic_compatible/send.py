"""How a request leaves for an Anthropic-compatible endpoint: with the key where that host wants it."""

from perilune.providers.contract.send import Ways, choose_surface, client_headers, refuse_before, shape

__all__ = ["auth_header", "choose_surface", "client_headers", "refuse_before", "shape", "ways"]

OWN_HOST = "api.anthropic.com"


def ways(host: str) -> Ways:
    """Its own host validates signatures and takes the client's betas; others are assumed to be tolerant."""
    is_own = host == OWN_HOST
    return Ways(family="anthropic" if is_own else "", checks_signatures=is_own, keeps_hosts_betas=is_own)


def auth_header(host: str, configured: str | None) -> str:
    """`x-api-key` for Anthropic's own host, Bearer elsewhere, unless the account says otherwise."""
    if configured is not None:
        return "x-api-key" if configured == "x-api-key" else "authorization"
    return "x-api-key" if host == OWN_HOST else "authorization"
