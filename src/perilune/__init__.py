"""Perilune: what your Kimi keys have left, one address that stays up, and reviews on what remains."""

__version__ = "0.1.0"
