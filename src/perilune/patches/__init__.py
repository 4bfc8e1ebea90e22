"""Diffs, hunks, anchors, findings and their fingerprints. Pure."""
