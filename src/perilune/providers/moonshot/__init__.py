"""Moonshot: the pay-per-token platform, counted in money."""
