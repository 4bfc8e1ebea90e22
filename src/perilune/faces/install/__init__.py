"""Putting our lines into other programs' files, and taking out exactly these again."""
