"""The vendors' services and the forges, played locally and faithfully."""
