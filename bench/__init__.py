"""Measurements: each runs both sides in one go and prints ratios. `./scripts/bench` runs them all."""
