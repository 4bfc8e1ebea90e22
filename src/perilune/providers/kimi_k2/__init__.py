"""kimi-k2.ai: credits of an unofficial relay, read only and only when asked for."""
