"""Real changes replayed: successive releases of packages as commits, and a model that answers well or badly."""
