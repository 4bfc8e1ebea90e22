"""The MCP server on standard input and output: small JSON-RPC, one file a tool."""
