"""Keeps the picture of every account fresh."""
