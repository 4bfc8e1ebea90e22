"""The vendors' paths: what each answers."""
