"""OpenRouter, as a fallback."""
