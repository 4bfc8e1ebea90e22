"""Coding agents by their own User-Agent, for deciding whether a caller's header may be passed along."""

from datetime import date

from msgspec import Struct

from perilune.catalog.models import Mark


class Agent(Struct, frozen=True, forbid_unknown_fields=True):
    """One program, known by how its User-Agent begins."""

    product: str
    prefix: str


class Agents(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The listed agents as of a day. An unlisted one is not refused anywhere; it is only not listed."""

    as_of: date
    mark: Mark
    agent: tuple[Agent, ...]

    def named_by(self, user_agent: str | None) -> Agent | None:
        """The agent whose User-Agent this is."""
        if not user_agent:
            return None
        return next((agent for agent in self.agent if user_agent.startswith(agent.prefix)), None)
