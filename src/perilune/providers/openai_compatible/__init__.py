"""Any OpenAI-compatible endpoint, as a fallback."""
