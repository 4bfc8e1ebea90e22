"""Any Anthropic-compatible endpoint, as a fallback."""
