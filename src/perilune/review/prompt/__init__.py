"""Prompts: a stable prefix, fences, the diff with numbers, nothing secret."""
