"""What every provider offers and shares: spec, port, outcome classes, the generic classifier, the registry."""
