"""Fixtures of the played forges."""

from tests.support.forges import clock, dialect, played, repository_template, scene

__all__ = ["clock", "dialect", "played", "repository_template", "scene"]
