"""Status lines: one line of what is left, for prompts and bars that start us cold every few seconds.

Everything here runs before click is imported, on the standard library's small parts alone: no msgspec, no typing, no
pathlib.
"""
