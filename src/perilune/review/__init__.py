"""Reviews diffs and pull requests on what is left."""
