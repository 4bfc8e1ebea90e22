"""The checks, one a file; found by scanning this folder."""
