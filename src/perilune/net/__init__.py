"""How bytes leave: control client, upstream client, SSE, TLS, address guard."""
