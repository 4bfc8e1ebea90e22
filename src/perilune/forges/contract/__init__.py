"""What every forge offers and shares: spec, port, client, webhooks, registry."""
