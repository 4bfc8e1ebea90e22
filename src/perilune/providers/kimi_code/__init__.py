"""Kimi Code: the membership plan, counted in windows."""
