"""The metric families, a file for each half; found by scanning this folder."""
