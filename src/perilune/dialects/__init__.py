"""OpenAI Chat, OpenAI Responses and Anthropic Messages: wire types and translation, streams too. Pure."""
