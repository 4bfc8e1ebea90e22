"""The forges, one folder each."""
