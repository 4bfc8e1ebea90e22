"""Status lines: one line of what is left, for prompts and bars that start us cold every few seconds.

Everything here is imported before click is: the standard library's small parts alone, no msgspec, no typing, no pathlib.
"""
